import json

import pytest

from spacy_mtl.srl import FrameInventory
from spacy_mtl.srl.inventory import read_frame_file, read_frame_files
from spacy_mtl.srl.senses import SenseInventory

GIVE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE frameset PUBLIC "-//PB//PropBank Frame v3.4//EN" "http://example.org/frameset.dtd">
<frameset>
  <predicate lemma="give">
    <note>a note</note>
    <roleset id="give.01" name="transfer">
      <aliases><alias pos="v">give</alias><alias pos="n">gift</alias></aliases>
      <roles>
        <role descr="giver" f="PAG" n="0"/>
        <role descr="thing given" f="PPT" n="1"><rolelinks/></role>
        <role descr="entity given to" f="GOL" n="2"/>
        <role descr="when" f="tmp" n="m"/>
      </roles>
    </roleset>
    <roleset id="give.03" name="emit"><roles><role descr="source" n="0"/></roles></roleset>
  </predicate>
</frameset>
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "give.xml").write_text(GIVE, encoding="utf8")
    (tmp_path / "README.txt").write_text("not a frame file", encoding="utf8")
    return tmp_path


def test_frame_files_are_read(folder):
    frames = FrameInventory.from_folder(folder)
    give = frames.rolesets["give.01"]
    assert (give.name, give.words) == ("transfer", ("give", "gift"))
    assert give.describe("ARG2") == give.describe("R-ARG2") == "entity given to"
    assert give.describe("ARG1-DSP") == "thing given"
    assert give.describe("ARGM-TMP") == "when"
    assert give.describe("ARG4") == ""
    assert frames.rolesets_of("gift") == ["give.01"]
    assert frames.rolesets_of("give") == ["give.01", "give.03"]
    assert frames.rolesets_of("take") == []


def test_inventory_goes_through_json(folder):
    frames = read_frame_files(folder)
    again = FrameInventory.from_json(json.loads(json.dumps(frames.to_json())))
    assert again.rolesets == frames.rolesets
    assert again.rolesets_of("gift") == ["give.01"]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("</roles>", "</role>", 13, "not well-formed XML \\(mismatched tag"),
        (' id="give.03"', "", 15, "<roleset> has no attribute 'id'"),
        (' lemma="give"', "", 4, "<predicate> has no attribute 'lemma'"),
        (' n="1"', "", 10, "<role> has no attribute 'n'"),
    ],
)
def test_malformed_files_are_named_with_their_line(folder, old, new, line, reason):
    (folder / "give.xml").write_text(GIVE.replace(old, new, 1), encoding="utf8")
    with pytest.raises(ValueError, match=f"give.xml, line {line}: {reason}"):
        read_frame_file(folder / "give.xml")
    (folder / "go.xml").write_text(GIVE.replace("give", "go"), encoding="utf8")
    with pytest.warns(UserWarning, match=f"left out: .*give.xml, line {line}"):
        frames = FrameInventory.from_folder(folder, skip_malformed=True)
    assert list(frames.rolesets) == ["go.01", "go.03"]


def test_a_folder_without_frame_files_is_an_error(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="There are no frame files in"):
            FrameInventory.from_folder(path)


def test_a_roleset_listed_twice_counts_once(folder):
    (folder / "give2.xml").write_text(GIVE.replace("transfer", "hand"), encoding="utf8")
    with pytest.warns(UserWarning, match="2 rolesets"):
        frames = FrameInventory.from_folder(folder)
    assert frames.rolesets["give.01"].name == "transfer"


def test_rolesets_of_words_are_restricted(folder):
    senses = SenseInventory.from_corpus(
        [("gave", "give.01"), ("gave", "give.99"), ("gave", "give.LV"), ("left", "leave.99")]
    )

    def names(form):
        return [senses.rolesets[index] for index in senses.candidates(form)]

    assert names("gave") == ["give.01", "give.99", "give.LV"]
    assert names("gifts") == []
    senses.use_frames(FrameInventory.from_folder(folder))
    assert names("gave") == names("giving") == ["give.01", "give.LV"]
    assert names("left") == ["leave.99"]  # a lemma that the inventory does not know
    assert names("gifts") == ["give.01"]  # by an alias
    assert senses.fallback("googled") == "google.01"


def test_unseen_words_get_their_first_roleset(folder):
    senses = SenseInventory.from_corpus([("left", "leave.01")])
    senses.use_frames(FrameInventory.from_folder(folder))
    assert senses.candidates("gift") == ()
    assert senses.fallback("gifts") == "give.01"
