# `make run` and `make test` are all that a fresh machine needs; the others are for people who change TMI.
PY = .venv/bin/python

.PHONY: run test bench fuzz lint fmt lock clean

run: ## serve on http://localhost:8080 (DEMO=0: empty)
	@scripts/setup run
	@exec $(PY) manage.py serve --migrate $(if $(filter 0,$(DEMO)),,--demo)

test: ## all tests; what is skipped is listed with its reason (ARGS="-k name" for some)
	@scripts/setup dev
	@$(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

bench: ## figures of speed and scale beside their limits, in minutes; JSON in var/bench.json
	@scripts/setup dev
	@$(PY) -m tests.bench.run

fuzz: ## 100,000 requests of all kinds at the API; ARGS="--requests 5000" for fewer
	@scripts/setup dev
	@$(PY) -m tests.fuzz.api $(ARGS)

lint: ## style, types, and which module may import which
	@scripts/setup dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports

fmt:
	@scripts/setup dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock: ## write requirements*.txt and package-lock.json anew
	@scripts/lock

clean: ## the environment, not the data
	rm -rf .venv node_modules static_root
