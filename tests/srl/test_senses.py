import json

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, Token

from spacy_mtl.srl import FrameInventory, Roleset
from spacy_mtl.srl.english import lemma_guesses
from spacy_mtl.srl.senses import SenseInventory, lemma_of, own_lemma

SEEN = [
    ("gave", "give.01"),
    ("gave", "give.02"),
    ("gave", "give.02"),
    ("left", "leave.01"),
    ("left", "leave.02"),
    ("stop", "stop.01"),
    ("create", "create.01"),
    ("carry", "carry.02"),
    ("carry", "carry.01"),
    ("set", ""),
]


@pytest.fixture
def senses() -> SenseInventory:
    return SenseInventory.from_corpus(SEEN)


def candidates(senses: SenseInventory, form: str) -> list[str]:
    return [senses.rolesets[index] for index in senses.candidates(form)]


def test_rolesets_are_sorted_and_indexed(senses):
    assert senses.rolesets == sorted({roleset for _, roleset in SEEN if roleset})
    assert len(senses) == 8
    assert [senses.index(roleset) for roleset in senses.rolesets] == list(range(8))
    assert senses.index("go.01") == -1
    assert senses.index("") == -1


def test_forms_have_what_they_had_the_commonest_first(senses):
    assert candidates(senses, "gave") == ["give.02", "give.01"]
    assert candidates(senses, "left") == ["leave.01", "leave.02"]


def test_forms_can_have_the_other_rolesets_of_their_verbs():
    senses = SenseInventory.from_corpus(
        [("grows", "grow.01"), ("grown", "grow_up.04"), ("grown", "grow.01"), ("growl", "growl.01")]
    )
    assert candidates(senses, "grows") == ["grow.01", "grow_up.04"]
    assert candidates(senses, "grown") == ["grow.01", "grow_up.04"]
    assert candidates(senses, "growing") == ["grow.01", "grow_up.04"]


def test_unseen_forms_change_their_endings_as_seen_ones_do():
    senses = SenseInventory.from_corpus(
        [
            ("investigation", "investigate.01"),
            ("interrogated", "interrogate.01"),
            ("decision", "decide.01"),
        ]
    )
    assert candidates(senses, "interrogation") == ["interrogate.01"]
    assert candidates(senses, "nation") == []


def test_british_spellings_find_american_rolesets():
    senses = SenseInventory.from_corpus([("realized", "realize.01"), ("honor", "honor.01")])
    assert candidates(senses, "realised") == ["realize.01"]
    assert candidates(senses, "honoured") == ["honor.01"]
    assert candidates(senses, "raise") == []


@pytest.mark.parametrize("typo", ["developiong", "devloping", "devleoping", "develoking"])
def test_spelling_mistakes_find_the_word_that_was_meant(typo):
    senses = SenseInventory.from_corpus([("developing", "develop.02"), ("said", "say.01")])
    assert candidates(senses, typo) == ["develop.02"]
    assert candidates(senses, "sayd") == []  # too short to tell


def test_unknown_nouns_are_of_the_verbs_that_their_endings_tell():
    seen = [("prediction", "predict.01"), ("restriction", "restrict.01"), ("election", "elect.01")]
    senses = SenseInventory.from_corpus(seen)
    assert senses.fallback("affliction") == "afflict.01"
    assert SenseInventory.from_corpus(seen[:2]).fallback("affliction") == "affliction.01"


def test_priors_go_by_form_and_then_by_verb(senses):
    gave = np.exp(senses.log_priors("gave"))
    assert gave == pytest.approx([(2 + 0.5 * 2.5 / 4) / 3.5, (1 + 0.5 * 1.5 / 4) / 3.5])
    assert gave.sum() == pytest.approx(1.0)
    assert np.exp(senses.log_priors("gives")) == pytest.approx([1.5 / 4, 2.5 / 4])
    assert senses.log_priors("google") == ()


def test_an_occurrence_can_be_left_out(senses):
    index = senses.index("give.02")
    rest = SenseInventory.from_corpus([("gave", "give.01"), ("gave", "give.02"), *SEEN[3:]])
    found = dict(
        zip(candidates(senses, "gave"), senses.log_priors_without("gave", index), strict=True)
    )
    expected = dict(zip(candidates(rest, "gave"), rest.log_priors("gave"), strict=True))
    assert found == pytest.approx(expected)
    assert senses.log_priors_without("gave", -1) == senses.log_priors("gave")
    stop = senses.index("stop.01")  # seen once: nothing is left but that it is the verb's only one
    assert np.exp(senses.log_priors_without("stop", stop)) == pytest.approx([1.0])


def test_equal_counts_go_by_name():
    senses = SenseInventory.from_corpus([("saw", "see.01"), ("saw", "saw.01")])
    assert candidates(senses, "saw") == ["saw.01", "see.01"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("give", ["give.01", "give.02"]),
        ("gives", ["give.01", "give.02"]),
        ("giving", ["give.01", "give.02"]),
        ("stopped", ["stop.01"]),
        ("creating", ["create.01"]),
        ("carries", ["carry.01", "carry.02"]),
        ("carried", ["carry.01", "carry.02"]),
    ],
)
def test_unseen_forms_have_the_rolesets_of_their_lemma(senses, form, expected):
    assert candidates(senses, form) == expected


def test_forms_seen_without_roleset_and_unknown_words_have_none(senses):
    assert candidates(senses, "set") == []
    assert candidates(senses, "googled") == []


@pytest.mark.parametrize(
    ("form", "roleset"),
    [
        ("google", "google.01"),
        ("googles", "google.01"),
        ("emailed", "email.01"),
        ("tweets", "tweet.01"),
        ("spied", "spy.01"),
        ("", ""),
    ],
)
def test_unknown_words_get_their_own_first_sense(senses, form, roleset):
    assert senses.fallback(form) == roleset


def test_nothing_is_guessed_where_no_roleset_was_seen():
    senses = SenseInventory.from_corpus([("gave", ""), ("left", "")])
    assert len(senses) == 0
    assert senses.candidates("gave") == ()
    assert senses.fallback("gave") == ""


def test_nothing_is_guessed_where_no_roleset_is_a_first_sense():
    senses = SenseInventory.from_corpus([("gave", "GIVE_GIFT"), ("left", "leave-v")])
    assert senses.fallback("googled") == ""
    assert senses.fallback("gave") == ""


VOCAB = spacy.blank("fr").vocab
FRENCH = [
    ("donne", "donner.01"),
    ("donnait", "donner.02"),
    ("dit", "dire.01"),
    ("parlait", "parler.01"),
]
OF_ENGLISH_VERBS = [("donne", "give.01"), ("donner", "give.01"), ("dit", "say.01")]


def token_of(word: str, lemma: str = "") -> Token:
    return Doc(VOCAB, words=[word], lemmas=[lemma] if lemma else None)[0]


def by_lemmas(seen: list[tuple[str, str]]) -> SenseInventory:
    senses = SenseInventory.from_corpus(seen)
    senses.guess_by("lemma")
    return senses


def test_lemmas_of_the_document_lead_to_rolesets_seen():
    senses = by_lemmas(FRENCH)
    assert senses.word_of(token_of("Donnerons", "donner")) == "donner"
    assert candidates(senses, "donner") == ["donner.01", "donner.02"]
    assert senses.word_of(token_of("Donnait", "xyz")) == "donnait"  # a form that was seen decides
    english = SenseInventory.from_corpus(FRENCH)
    assert english.word_of(token_of("Donnerons", "donner")) == "donnerons"
    named_otherwise = by_lemmas(OF_ENGLISH_VERBS)
    word = named_otherwise.word_of(token_of("donnerons", "donner"))
    assert candidates(named_otherwise, word) == ["give.01"]


def test_endings_seen_count_in_every_language_and_english_rules_do_not():
    senses = by_lemmas([*FRENCH, ("chantait", "chanter.01"), ("marcher", "marcher.01")])
    assert candidates(senses, "marchait") == ["marcher.01"]
    german = by_lemmas([("sing", "sing.01"), ("geben", "geben.01")])
    assert candidates(german, "singing") == []
    assert candidates(german, "honours") == []


@pytest.mark.parametrize(
    ("word", "lemma", "roleset"),
    [
        ("chanterions", "chanter", "chanter.01"),
        ("chanterions", "", ""),
        ("chanterions", "_", ""),
        ("works", "", ""),
        ("給", "給", "給.01"),
        ("s'enfuit", "s' enfuir", "s'_enfuir.01"),
    ],
)
def test_unknown_words_of_other_languages_get_their_lemmas_first_sense_or_none(
    word, lemma, roleset
):
    senses = by_lemmas(FRENCH)
    token = token_of(word, lemma)
    assert senses.fallback(senses.word_of(token), own_lemma(token)) == roleset


def test_no_first_sense_is_made_up_where_rolesets_are_of_another_language():
    assert by_lemmas(OF_ENGLISH_VERBS).fallback("chanter", "chanter") == ""


def test_nothing_is_guessed_where_unseen_words_are_to_be_unknown(senses):
    senses.guess_by("unknown")
    assert candidates(senses, "gave") == ["give.02", "give.01"]
    assert candidates(senses, "gives") == []
    assert senses.fallback("gives", "give") == ""
    frames = FrameInventory([Roleset("google.01"), Roleset("give.01")])
    senses.use_frames(frames)
    assert senses.fallback("google") == "google.01"
    senses.guess_by("english")
    assert candidates(senses, "gives") == ["give.01"]


def test_json_round_trip(senses):
    again = SenseInventory(**json.loads(json.dumps(senses.to_json())))
    assert again.to_json() == senses.to_json()
    for form in ("gave", "giving", "unknown"):
        assert again.candidates(form) == senses.candidates(form)
        assert again.log_priors(form) == senses.log_priors(form)


def test_the_order_of_the_corpus_does_not_matter(senses):
    assert SenseInventory.from_corpus(SEEN[::-1]).to_json() == senses.to_json()


@pytest.mark.parametrize(
    ("roleset", "lemma"), [("give.01", "give"), ("e.g.02", "e.g"), ("give", "give")]
)
def test_lemma_of(roleset, lemma):
    assert lemma_of(roleset) == lemma


@pytest.mark.parametrize(
    ("form", "lemma"),
    [
        ("walks", "walk"),
        ("watches", "watch"),
        ("washes", "wash"),
        ("passes", "pass"),
        ("fixes", "fix"),
        ("buzzes", "buzz"),
        ("realizes", "realize"),
        ("goes", "go"),
        ("studies", "study"),
        ("dies", "die"),
        ("pass", "pass"),
        ("focus", "focus"),
        ("studied", "study"),
        ("walked", "walk"),
        ("planned", "plan"),
        ("called", "call"),
        ("passed", "pass"),
        ("realized", "realize"),
        ("moved", "move"),
        ("need", "need"),
        ("proceed", "proceed"),
        ("walking", "walk"),
        ("running", "run"),
        ("falling", "fall"),
        ("giving", "give"),
        ("bring", "bring"),
        ("sing", "sing"),
        ("is", "is"),
        ("as", "as"),
        ("fought", "fight"),
        ("shrunk", "shrink"),
        ("went", "go"),
        ("resumed", "resume"),
        ("recycled", "recycle"),
        ("handling", "handle"),
        ("curled", "curl"),
    ],
)
def test_last_guess_is_the_likeliest_lemma(form, lemma):
    assert lemma_guesses(form)[-1] == lemma


@pytest.mark.parametrize(
    ("form", "lemma"),
    [
        ("hoped", "hope"),
        ("making", "make"),
        ("agreed", "agree"),
        ("caches", "cache"),
        ("travelled", "travel"),
    ],
)
def test_other_lemmas_are_among_the_guesses(form, lemma):
    guesses = lemma_guesses(form)
    assert guesses[0] == form
    assert lemma in guesses
