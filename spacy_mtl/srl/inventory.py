"""PropBank's frame files: which rolesets a word has, and what their roles mean."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from spacy.util import registry
from tqdm import tqdm

from ..util.messages import warn


@dataclass(frozen=True)
class Roleset:
    """A sense of a word and its roles.

    id (str): E.g. "give.01".
    name (str): What it means, e.g. "transfer".
    roles (Dict[str, str]): The meaning of each role, e.g. {"ARG2": "entity given to"}.
    words (Tuple[str, ...]): The words that can have it: the lemma and its aliases.
    """

    id: str
    name: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    def describe(self, label: str) -> str:
        """RETURNS (str): The meaning of a role, that of ARG1 for R-ARG1 and C-ARG1, too; empty if
        the roleset does not say.
        """
        role = base_role(label)
        return self.roles.get(role) or self.roles.get(role.split("-")[0], "")


class FrameInventory:
    """The rolesets of a language."""

    def __init__(self, rolesets: Iterable[Roleset] = ()) -> None:
        """Create an inventory.

        rolesets (Iterable[Roleset]): Its rolesets. Where two have the same id, the first counts.
        """
        self.rolesets: dict[str, Roleset] = {}
        self._own: defaultdict[str, list[str]] = defaultdict(list)
        self._by_alias: defaultdict[str, list[str]] = defaultdict(list)
        for roleset in rolesets:
            if roleset.id in self.rolesets:
                continue
            self.rolesets[roleset.id] = roleset
            self._own[roleset.id.rsplit(".", 1)[0]].append(roleset.id)
            for word in roleset.words:
                self._by_alias[word].append(roleset.id)

    def __len__(self) -> int:
        return len(self.rolesets)

    def __contains__(self, roleset: object) -> bool:
        return roleset in self.rolesets

    def rolesets_of(self, word: str) -> list[str]:
        """Find the rolesets that a word can have.

        word (str): The lemma in lower case.
        RETURNS (List[str]): Those of its own name first, each kind in the order of the files.
        """
        return list(dict.fromkeys([*self._own.get(word, ()), *self._by_alias.get(word, ())]))

    def allows(self, roleset: str) -> bool:
        """Tell whether a roleset can be used. One of a lemma that the inventory does not know can,
        and so can those that frame files never list because they aren't numbered, such as the
        light verb `have.LV`.

        roleset (str): E.g. "give.01".
        RETURNS (bool): Whether it can.
        """
        lemma, _, sense = roleset.rpartition(".")
        return roleset in self.rolesets or not sense.isdigit() or lemma not in self._own

    def to_json(self) -> list[list[Any]]:
        """RETURNS (List[List[Any]]): Id, name, roles and words of each roleset; see `from_json`."""
        return [
            [roleset.id, roleset.name, dict(roleset.roles), list(roleset.words)]
            for roleset in self.rolesets.values()
        ]

    @classmethod
    def from_json(cls, data: Iterable[Iterable[Any]]) -> "FrameInventory":
        """Read what `to_json` gave.

        data (Iterable[Iterable[Any]]): The rolesets.
        RETURNS (FrameInventory): The inventory.
        """
        return cls(
            Roleset(roleset, name, dict(roles), tuple(words))
            for roleset, name, roles, words in data
        )

    @classmethod
    def from_folder(cls, path: str | Path, *, skip_malformed: bool = False) -> "FrameInventory":
        """Read a folder of PropBank frame files, such as `frames` of the repository
        propbank/propbank-frames.

        path (Union[str, Path]): The folder; all its files `*.xml` are read.
        skip_malformed (bool): Warn of a malformed file and go on, instead of raising an error.
        RETURNS (FrameInventory): The inventory.
        RAISES (ValueError): If there is no such folder, no file in it, no roleset in the files, or
            a file is malformed; the message names file and line.
        """
        folder = Path(path)
        files = sorted(folder.glob("*.xml")) if folder.is_dir() else []
        if not files:
            raise ValueError(
                f"There are no frame files in '{folder}': expected a folder with files *.xml, such "
                "as 'frames' of https://github.com/propbank/propbank-frames."
            )
        rolesets: list[Roleset] = []
        for file in tqdm(
            files, desc="InputVariant frame files", leave=False, disable=len(files) < 100
        ):
            try:
                rolesets += read_frame_file(file)
            except ValueError as error:
                if not skip_malformed:
                    raise
                warn(f"A frame file is left out: {error}")
        if not rolesets:
            raise ValueError(f"The frame files in '{folder}' hold no roleset.")
        inventory = cls(rolesets)
        if len(inventory) < len(rolesets):
            warn(
                f"{len(rolesets) - len(inventory)} rolesets in '{folder}' have the id of another "
                "one and are left out."
            )
        return inventory


@registry.readers("spacy_mtl.FrameFiles.v1")
def read_frame_files(path: str | Path, skip_malformed: bool = False) -> FrameInventory:
    """Read a folder of PropBank frame files; see `FrameInventory.from_folder`.

    path (Union[str, Path]): The folder.
    skip_malformed (bool): Warn of a malformed file and go on, instead of raising an error.
    RETURNS (FrameInventory): The inventory.
    """
    return FrameInventory.from_folder(path, skip_malformed=skip_malformed)


def read_frame_file(path: str | Path) -> list[Roleset]:
    """Read one PropBank frame file.

    path (Union[str, Path]): The XML file: `frameset`, in it `predicate` with a lemma, in it
        `roleset` with id and name, `aliases` and `roles`, of which each `role` has a number `n`
        (or "M" and a function `f`) and a description `descr`.
    RETURNS (List[Roleset]): Its rolesets, in order.
    RAISES (ValueError): If it is malformed; the message names file and line.
    """
    return _FrameFileParser(Path(path)).parse()


def base_role(label: str) -> str:
    """RETURNS (str): The role that a label continues or refers to: ARG1 of R-ARG1 and C-ARG1."""
    while label.startswith(("C-", "R-")):
        label = label[2:]
    return label


class _FrameFileParser:
    """Collects the rolesets of one file as its elements go by."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rolesets: list[Roleset] = []
        self.lemma = ""
        self.alias: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def parse(self) -> list[Roleset]:
        try:
            self.parser.Parse(self.path.read_bytes(), True)
        except expat.ExpatError as error:
            raise ValueError(
                f"{self.path}, line {error.lineno}: not well-formed XML "
                f"({expat.ErrorString(error.code)}). Correct the file or remove it."
            ) from error
        return self.rolesets

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        handlers: dict[str, Callable[[dict[str, str]], None]] = {
            "predicate": self._start_predicate,
            "roleset": self._start_roleset,
            "role": self._start_role,
            "alias": self._start_alias,
        }
        if tag in handlers:
            handlers[tag](attributes)

    def _start_predicate(self, attributes: dict[str, str]) -> None:
        self.lemma = self._require(attributes, "lemma", "predicate")

    def _start_roleset(self, attributes: dict[str, str]) -> None:
        if not self.lemma:
            raise self._error("a <roleset> is outside of a <predicate>")
        roleset = self._require(attributes, "id", "roleset")
        self.rolesets.append(Roleset(roleset, attributes.get("name", ""), {}, (self.lemma,)))

    def _start_role(self, attributes: dict[str, str]) -> None:
        number = self._require(attributes, "n", "role").upper()
        if not self.rolesets:
            raise self._error("a <role> is outside of a <roleset>")
        function = attributes.get("f", "").upper()
        role = f"ARG{number}-{function}" if number == "M" and function else f"ARG{number}"
        self.rolesets[-1].roles.setdefault(role, attributes.get("descr", ""))  # type: ignore[attr-defined]

    def _start_alias(self, attributes: dict[str, str]) -> None:
        self.alias = []
        self.parser.CharacterDataHandler = self.alias.append

    def _end(self, tag: str) -> None:
        if tag == "alias" and self.rolesets:
            self.parser.CharacterDataHandler = None
            word = "".join(self.alias).strip().lower()
            last = self.rolesets[-1]
            if word and word not in last.words:
                self.rolesets[-1] = Roleset(last.id, last.name, last.roles, (*last.words, word))
        elif tag == "predicate":
            self.lemma = ""

    def _require(self, attributes: dict[str, str], name: str, tag: str) -> str:
        if not attributes.get(name):
            raise self._error(f"<{tag}> has no attribute '{name}'")
        return attributes[name]

    def _error(self, what: str) -> ValueError:
        return ValueError(
            f"{self.path}, line {self.parser.CurrentLineNumber}: {what}. Correct the file or "
            "remove it."
        )
