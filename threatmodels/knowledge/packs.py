"""Rule packs: their form, and those that come with TMI."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from threatmodels.choices import EARLIER_TYPES, THREAT_TYPES, Framework
from threatmodels.knowledge.conditions import BadCondition, Condition, parse
from threatmodels.knowledge.facts import NAMES
from tmi.lib.errors import FieldError, ValidationFailed

FOLDER = Path(__file__).parent
FILES = ("stride", "linddun", "cia", "die", "plot4ai")
MOST_RULES = 1_000
LARGEST_FILE = 2 * 1024 * 1024

ElementType = Literal["process", "datastore", "external_entity", "data_flow"]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,63}$")]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Rule(_Part):
    """One thing that can go wrong at elements of some types, where the condition holds."""

    id: Slug
    title: Annotated[Line, Field(max_length=150)]
    category: Line
    applies_to: Annotated[list[ElementType], Field(min_length=1, max_length=4)]
    when: Annotated[str, Field(max_length=500)] = ""
    description: Annotated[str, Field(min_length=1, max_length=1500)]
    mitigation: Annotated[str, Field(min_length=1, max_length=4000)]
    severity: Literal["critical", "high", "medium", "low", "informational"]
    cwe: list[Annotated[int, Field(ge=1, le=999_999)]] = []
    capec: list[Annotated[int, Field(ge=1, le=999_999)]] = []
    reference: Annotated[str, Field(max_length=500, pattern=r"^(https?://\S+)?$")] = ""

    @field_validator("when")
    @classmethod
    def _is_in_the_language(cls, text: str) -> str:
        parse(text, facts=NAMES)
        return text

    @cached_property
    def condition(self) -> Condition:
        return parse(self.when, facts=NAMES)

    @property
    def cwe_ids(self) -> list[str]:
        return [f"CWE-{number}" for number in dict.fromkeys(self.cwe)]


class Pack(_Part):
    """The rules of one framework; `applicable` says which categories are considered for which type."""

    key: Slug
    title: Line
    version: Annotated[str, Field(max_length=50)] = "1"
    framework: Literal["STRIDE", "LINDDUN", "CIA", "DIE", "PLOT4ai"]
    reference: Annotated[str, Field(max_length=500, pattern=r"^(https?://\S+)?$")] = ""
    applicable: dict[ElementType, list[str]] = {}
    rules: Annotated[list[Rule], Field(min_length=1, max_length=MOST_RULES)]

    @field_validator("applicable")
    @classmethod
    def _by_todays_names(cls, found: dict[ElementType, list[str]], info: ValidationInfo) -> Any:
        return {
            kind: list(dict.fromkeys(_current(info, name) for name in named)) for kind, named in found.items()
        }

    @field_validator("rules")
    @classmethod
    def _in_todays_categories(cls, found: list[Rule], info: ValidationInfo) -> list[Rule]:
        return [rule.model_copy(update={"category": _current(info, rule.category)}) for rule in found]

    @model_validator(mode="after")
    def _fits_its_framework(self) -> Pack:
        known = categories(self.framework)
        named = {rule.category for rule in self.rules} | {c for cs in self.applicable.values() for c in cs}
        if strange := sorted(named - set(known)):
            raise ValueError(
                f"{self.framework} has no category {strange[0][:50]}; it has {', '.join(known)}."
            )
        ids = [rule.id for rule in self.rules]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"Two rules are called {twice[0]}.")
        return self


def _current(info: ValidationInfo, category: str) -> str:
    """A category by its name of today: packs that were written before it got that keep working."""
    framework = Framework(info.data["framework"]) if "framework" in info.data else None
    return EARLIER_TYPES.get(framework, {}).get(category, category)


def categories(framework: str) -> list[str]:
    """The categories of a framework, in its own order."""
    return [name for name, _title in THREAT_TYPES[Framework(framework)]]


def read_pack(data: bytes) -> Pack:
    """A pack from YAML or JSON. Raises ValidationFailed: pointers into the file, and lines in the reasons."""
    return pack_of(*_parsed(data))


def read_content(data: bytes) -> dict[str, Any]:
    """What a file holds, as it can be kept, once it was found to be a pack. Raises ValidationFailed."""
    found, root = _parsed(data)
    pack_of(found, root)
    return dict(found)


def _parsed(data: bytes) -> tuple[Any, yaml.Node | None]:
    if len(data) > LARGEST_FILE:
        raise ValidationFailed.of("file", f"The file is larger than {LARGEST_FILE} bytes.")
    try:
        text = data.decode()
        found = yaml.load(text, Loader=_PlainLoader)  # noqa: S506  a SafeLoader without aliases
        return found, yaml.compose(text, Loader=_PlainLoader)
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValidationFailed.of("file", f"This is no YAML or JSON: {_reason(error)}") from None


def pack_of(found: Any, root: yaml.Node | None = None) -> Pack:
    """A pack from parsed data; `root` tells the lines of a file. Raises ValidationFailed."""
    try:
        return Pack.model_validate(found)
    except ValidationError as error:
        raise ValidationFailed(
            FieldError("/" + "/".join(map(str, e["loc"])), _told(e["msg"], e["loc"], root))
            for e in error.errors(include_url=False)[:20]
        ) from None


def _told(message: str, loc: tuple[int | str, ...], root: yaml.Node | None) -> str:
    text = message.removeprefix("Value error, ")
    return text if root is None else f"Line {_line(root, loc)}: {text}"


def _line(node: yaml.Node, loc: tuple[int | str, ...]) -> int:
    """The line, from 1, of the place in the file, or of the innermost one around it that is there."""
    line = node.start_mark.line + 1
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if getattr(k, "value", None) == str(step)), None)
            if pair is None:
                return line
            node, line = pair[1], pair[0].start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line


class _PlainLoader(yaml.SafeLoader):
    """Without aliases, by which a small file grows beyond all bounds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        return super().compose_node(parent, index)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


@lru_cache(maxsize=1)
def builtin_packs() -> dict[str, Pack]:
    """The packs that come with TMI, by key."""
    read = [read_pack((FOLDER / f"{name}.yaml").read_bytes()) for name in FILES]
    return {pack.key: pack for pack in read}


def schema() -> dict[str, Any]:
    """The JSON Schema of a pack."""
    return Pack.model_json_schema()


__all__ = [
    "BadCondition",
    "Pack",
    "Rule",
    "builtin_packs",
    "categories",
    "pack_of",
    "read_content",
    "read_pack",
    "schema",
]
