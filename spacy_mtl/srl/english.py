"""Guesses at the lemmas of English word forms."""

# past tenses and participles that no rule leads to, by lemma
_IRREGULAR = """
arise: arose arisen
awake: awoke awoken
bear: bore borne
beat: beaten
become: became
befall: befell befallen
begin: began begun
behold: beheld
bend: bent
bind: bound
bite: bit bitten
bleed: bled
blow: blew blown
break: broke broken
breed: bred
bring: brought
build: built
burn: burnt
buy: bought
catch: caught
choose: chose chosen
cling: clung
come: came
creep: crept
deal: dealt
dig: dug
do: does did done
draw: drew drawn
dream: dreamt
drink: drank drunk
drive: drove driven
dwell: dwelt
eat: ate eaten
fall: fell fallen
feed: fed
feel: felt
fight: fought
find: found
flee: fled
fling: flung
fly: flew flown
forbid: forbade forbidden
foresee: foresaw foreseen
forget: forgot forgotten
forgive: forgave forgiven
forsake: forsook forsaken
freeze: froze frozen
get: got gotten
give: gave given
go: went gone
grind: ground
grow: grew grown
hang: hung
have: has had
hear: heard
hide: hid hidden
hold: held
keep: kept
kneel: knelt
know: knew known
lay: laid
lead: led
leap: leapt
learn: learnt
leave: left
lend: lent
lie: lay lain lying
light: lit
lose: lost
make: made
mean: meant
meet: met
mislead: misled
mistake: mistook mistaken
misunderstand: misunderstood
mow: mown
outdo: outdid outdone
overcome: overcame
overdo: overdid overdone
overhear: overheard
oversee: oversaw overseen
overtake: overtook overtaken
overthrow: overthrew overthrown
pay: paid
prove: proven
rebuild: rebuilt
redo: redid redone
repay: repaid
rethink: rethought
rewrite: rewrote rewritten
ride: rode ridden
ring: rang rung
rise: rose risen
run: ran
say: said
see: saw seen
seek: sought
sell: sold
send: sent
sew: sewn
shake: shook shaken
shine: shone
shoot: shot
show: shown
shrink: shrank shrunk
sing: sang sung
sink: sank sunk
sit: sat
slay: slew slain
sleep: slept
slide: slid
sling: slung
speak: spoke spoken
speed: sped
spell: spelt
spend: spent
spill: spilt
spin: spun
spit: spat
spoil: spoilt
spring: sprang sprung
stand: stood
steal: stole stolen
stick: stuck
sting: stung
stink: stank stunk
stride: strode stridden
strike: struck stricken
string: strung
strive: strove striven
swear: swore sworn
sweep: swept
swell: swollen
swim: swam swum
swing: swung
take: took taken
teach: taught
tear: tore torn
tell: told
think: thought
throw: threw thrown
undergo: underwent undergone
understand: understood
undertake: undertook undertaken
undo: undid undone
uphold: upheld
wake: woke woken
wear: wore worn
weave: wove woven
weep: wept
win: won
wind: wound
withdraw: withdrew withdrawn
withhold: withheld
withstand: withstood
wring: wrung
write: wrote written
"""
_LEMMAS = {
    form: lemma
    for lemma, _, forms in (line.partition(":") for line in _IRREGULAR.strip().splitlines())
    for form in forms.split()
}
_MUTE_E = ("at", "iv", "uc", "ur", "us", "um", "ag", "rg", "ng", "iz", "ov", "rc", "rv")
_AMERICAN = {
    "isa": "iza",
    "ise": "ize",
    "isi": "izi",
    "yse": "yze",
    "our": "or",
    "efence": "efense",
}


def lemma_guesses(form: str) -> list[str]:
    """Guess the lemma of an English word form: look up irregular verbs, strip inflection.

    form (str): The word in lower case.
    RETURNS (List[str]): Guesses, starting with the form itself; the likeliest lemma of a word that
        is in no list is the last.
    """
    guesses = [form]
    if form in _LEMMAS:
        guesses += [_LEMMAS[form]]
    elif len(form) > 4 and form.endswith("ies"):
        guesses += [form[:-3] + "y"]
    elif len(form) > 4 and form.endswith(("ches", "shes", "sses", "xes", "zzes")):
        guesses += [form[:-1], form[:-2]]
    elif len(form) > 3 and form.endswith("oes"):
        guesses += [form[:-1], form[:-2]]
    elif len(form) > 3 and form.endswith("s") and not form.endswith(("ss", "us", "is")):
        guesses += [form[:-1]]
    elif len(form) > 4 and form.endswith("ied"):
        guesses += [form[:-3] + "y"]
    elif len(form) > 3 and form.endswith("eed"):
        guesses += [form[:-1], form]  # "agreed", "need"
    elif len(form) > 4 and form.endswith("ing") and _has_vowel(form[:-3]):
        guesses += _stems(form[:-3])
    elif len(form) > 3 and form.endswith("ed") and _has_vowel(form[:-2]):
        guesses += _stems(form[:-2])
    return guesses


def american_spellings(form: str) -> list[str]:
    """Respell a British word: "realisation" as "realization".

    form (str): The word in lower case.
    RETURNS (List[str]): What it may be in American English, if that is another word.
    """
    return [form.replace(old, new) for old, new in _AMERICAN.items() if old in form[1:]]


def _has_vowel(stem: str) -> bool:
    """Whether something is left that can be a verb: "bring" is not "br" + "ing"."""
    return any(letter in "aeiouy" for letter in stem)


def _stems(stem: str) -> list[str]:
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "aeiou":
        if stem[-1] in "ls":
            return [stem[:-1], stem]  # "travell" -> "travel", "call"
        return [stem, stem[:-1]]  # "stopp" -> "stop"
    is_syllabic = stem.endswith("l") and stem[-2:-1] not in ("", *"aeiourlw")  # "handl", "recycl"
    if is_syllabic or stem.endswith(_MUTE_E):
        return [stem, stem + "e"]  # "creat" -> "create"
    return [stem + "e", stem]
