"""The configuration: environment over file over default, checked whole before anything starts."""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from tmi.config_keys import refuse_unfit
from tmi.config_schema import MASK, Config, ConfigError, Provider
from tmi.config_secrets import generate_missing, refuse_weak

__all__ = ["BASE_DIR", "MASK", "Config", "ConfigError", "load", "variables"]

BASE_DIR = Path(__file__).resolve().parent.parent

PREFIX = "TMI_"
OTHER_VARIABLES = {"TMI_CONFIG", "TMI_DATA_DIR"}
# A shell that has them for docker-compose.yml or for the programs of docs/examples runs commands too.
OTHER_VARIABLES |= {"TMI_SITE", "TMI_HTTP_PORT", "TMI_HTTPS_PORT", "TMI_URL"}
PHRASES = {"extra_forbidden": "unknown key", "model_type": "must be a section with keys"}
_PROVIDERS = ("auth", "oauth", "providers")
# Kubernetes describes a service named "tmi" or "tmi-..." in variables like these.
_SERVICE_LINK = re.compile(r"TMI_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)")

Key = tuple[str, ...]
Tree = dict[str, Any]


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """The effective configuration; raises ConfigError. An embedded instance gets its missing secrets once."""
    data_dir = Path(environ.get("TMI_DATA_DIR") or BASE_DIR / "var").expanduser().absolute()
    tree, sources = _read_file(environ.get("TMI_CONFIG", "")), {}
    for path, value, variable in _read_environment(environ, tree):
        _put(tree, path, value)
        sources[path] = variable
    config = _check(tree, sources)
    generated = generate_missing(config, data_dir)
    for path, value in [*generated.items(), (("logging", "log_dir"), _log_dir(config, data_dir))]:
        _put(tree, path, value)
    config = _check(tree, sources)
    refuse_weak(config)
    refuse_unfit(config.auth.jwt)
    config._data_dir = data_dir
    return config


@cache
def variables() -> dict[str, Key]:
    """Every variable of the schema and the key it sets, those of named providers left out."""
    return {PREFIX + "_".join(path).upper(): path for path in _keys(Config)}


def _keys(model: type[BaseModel], prefix: Key = ()) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        path, kind = (*prefix, field.alias or name), field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _keys(kind, path)
        elif path != _PROVIDERS:
            yield path


def _is_list(path: Key) -> bool:
    model: Any = Provider if path[:3] == _PROVIDERS else Config
    for part in path[4:] if model is Provider else path:
        model = model.model_fields[part.replace("from", "from_")].annotation
    return get_origin(model) is list


def _log_dir(config: Config, data_dir: Path) -> str:
    fallback = str(data_dir / "logs") if config.embedded else "/var/log/tmi"
    return config.logging.log_dir or fallback


# -- file


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key given twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Tree:
    found: Tree = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in found:
            problem = "is given twice" if isinstance(key, str) else "must be text"
            raise yaml.constructor.ConstructorError(None, None, f"{key}: {problem}", key_node.start_mark)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _read_file(name: str) -> Tree:
    if not name:
        return {}
    try:
        tree = yaml.load(Path(name).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  a SafeLoader
    except (OSError, UnicodeError) as problem:
        raise ConfigError(f"TMI_CONFIG: cannot read {name}: {_reason(problem)}") from None
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise ConfigError(f"{name}, line {line}: {problem.problem}") from None
    except yaml.YAMLError as problem:
        raise ConfigError(f"TMI_CONFIG: {name} is not YAML: {' '.join(str(problem).split())}") from None
    except ValueError as problem:  # a date that there is not
        raise ConfigError(f"TMI_CONFIG: {name}: {problem}") from None
    if tree is not None and not isinstance(tree, dict):
        raise ConfigError(f"TMI_CONFIG: {name} must be a mapping of sections")
    return tree or {}


# -- environment


def _read_environment(environ: Mapping[str, str], tree: Tree) -> Iterator[tuple[Key, Any, str]]:
    seen: dict[Key, str] = {}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        if variable in OTHER_VARIABLES or _is_service_link(variable, environ[variable]):
            continue
        path, from_file = _resolve(variable, tree)
        if path in seen:
            raise ConfigError(f"{'.'.join(path)}: both {seen[path]} and {variable} are set")
        seen[path] = variable
        text = _read_secret_file(variable, environ[variable]) if from_file else environ[variable]
        yield path, _split(text) if _is_list(path) else text, variable


def _is_service_link(variable: str, value: str) -> bool:
    return bool(_SERVICE_LINK.fullmatch(variable)) or value.startswith(("tcp://", "udp://"))


def _resolve(variable: str, tree: Tree) -> tuple[Key, bool]:
    for name, from_file in ((variable, False), (variable.removesuffix("_FILE"), True)):
        path = variables().get(name) or _provider_path(name, tree)
        if path:
            return path, from_file
    raise ConfigError(f"{variable}: unknown configuration variable")


def _provider_path(variable: str, tree: Tree) -> Key | None:
    prefix = PREFIX + "_".join(_PROVIDERS).upper() + "_"
    rest = variable.removeprefix(prefix).lower()
    # The longest field first, so that ..._ACME_CLIENT_ID is not provider acme_client's "id".
    for field in sorted(Provider.model_fields, key=len, reverse=True):
        if variable.startswith(prefix) and rest.endswith("_" + field):
            return (*_PROVIDERS, _provider_name(rest.removesuffix("_" + field), tree), field)
    return None


def _provider_name(spelled: str, tree: Tree) -> str:
    """A name of the file that has dashes is meant by the same name with underscores."""
    named: Any = tree
    for part in _PROVIDERS:
        named = named.get(part) if isinstance(named, dict) else None
    return next((name for name in named or {} if name.replace("-", "_") == spelled), spelled)


def _read_secret_file(variable: str, name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeError) as problem:
        raise ConfigError(f"{variable}: cannot read {name}: {_reason(problem)}") from None


def _split(text: str) -> list[str]:
    """A list in a variable: separated by commas, or by lines when a value has several of its own (PEM)."""
    if "-----BEGIN" in text:
        return [part.strip() for part in re.split(r"(?<=-----)\s*,?\s*(?=-----BEGIN)", text)]
    return [part.strip() for part in re.split(r"[,\n]", text) if part.strip()]


def _reason(problem: OSError | UnicodeError) -> str:
    return (isinstance(problem, OSError) and problem.strerror) or "not UTF-8 text"


# -- schema


def _put(tree: Tree, path: Key, value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(tree.get(part), dict):
            tree[part] = {} if tree.get(part) is None else tree[part]
        if not isinstance(tree[part], dict):
            return  # the wrong type is reported for the section itself
        tree = tree[part]
    tree[path[-1]] = value


def _check(tree: Tree, sources: Mapping[Key, str]) -> Config:
    try:
        return Config.model_validate(tree)
    except ValidationError as problem:
        raise ConfigError(_describe(problem, sources)) from None


def _describe(problem: ValidationError, sources: Mapping[Key, str]) -> str:
    """One line for the first error; never the value, which may be a secret."""
    error = problem.errors(include_url=False, include_input=False)[0]
    path = tuple(str(part) for part in error["loc"])
    key = ".".join([*path, *[error["ctx"]["key"] for _ in [0] if error["type"] == "rule"]])
    source = next((name for where, name in sources.items() if path[: len(where)] == where), "")
    text = PHRASES.get(error["type"], error["msg"].removeprefix("Value error, "))
    return f"{key}: {text}" + (f" ({source})" if source else "")
