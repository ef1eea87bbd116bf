# `make run` and `make test` are all that a fresh machine needs; the others are for people who change TMI.
PY = .venv/bin/python

.PHONY: run test test-rls bench fuzz soak lint fmt lock clean

run: ## serve on http://localhost:8080 (DEMO=0: empty)
	@scripts/setup run
	@exec $(PY) manage.py serve --migrate $(if $(filter 0,$(DEMO)),,--demo)

test-rls: ## the same with row-level security of the database on, but for what speaks of plans, rows and servers
	@scripts/setup dev
	@TMI_DATABASE_POSTGRES_ROW_LEVEL_SECURITY=true $(PY) -m pytest -n 2 --dist loadgroup tests/accounts tests/security \
	  tests/threatmodels tests/tmi/api tests/tmi/test_metrics.py $(ARGS)

test: ## all tests; what is skipped is listed with its reason (ARGS="-k name" for some)
	@scripts/setup dev
	@$(PY) -m pytest -n 2 --dist loadgroup $(ARGS)

bench: ## figures of speed and scale beside their limits, in minutes; JSON in var/bench.json
	@scripts/setup dev
	@$(PY) -m tests.bench.run

fuzz: ## 100,000 requests, a million messages, 3,000 gestures; ARGS="--requests 9" FRAMES="--frames 9" HANDS="--steps 9" for fewer
	@scripts/setup dev
	@$(PY) -m tests.fuzz.api $(ARGS)
	@$(PY) -m tests.fuzz.frames $(FRAMES)
	@$(PY) -m tests.fuzz.editor $(HANDS)

soak: ## web processes, Redis and PostgreSQL killed under load, and the long tests of faults; ARGS="--kills 5 --calm 30" for less
	@scripts/setup dev
	@$(PY) -m tests.soak.run $(ARGS)
	@$(PY) -m pytest tests/faults -m fault

lint: ## style, types, and which module may import which
	@scripts/setup dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	@scripts/setup js node_modules/eslint/bin/eslint.js static tests/js
	@scripts/setup js node_modules/typescript/bin/tsc -p jsconfig.json

fmt:
	@scripts/setup dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock: ## write requirements*.txt and package-lock.json anew
	@scripts/lock

clean: ## the environment, not the data
	rm -rf .venv node_modules static_root
