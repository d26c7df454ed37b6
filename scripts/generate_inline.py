"""Generate training text in the inline format (docs/inline-format.md) from templates.

The text only adds to the hand-written training corpus: it shows many words in many roles. It must
not go into the development or test corpus, where it would measure the templates.

A template is a sentence with slots and marks:

    <a.ARG0 {person}> <a.ARGM-MOD will> <a:visit.01 visit> <a.ARG1 {sight}>.

`{person}` is replaced by a filler, which may have marks and slots of its own. `<a:visit.01 visit>`
is the predicate of the template's frame `a`, and `<a.ARG0 ...>` one of its arguments. A stretch
with a role in two frames is `<a.ARG0,b.ARG1 ...>`. Letters name frames within one template only.
`[PER: ...]` is an entity, and `a_` becomes "a" or "an". A clause pattern is a template whose
`$words` are filled from an entry of the verb list first.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Annotated

import typer

FEMALE = """Anna Maria Leila Ingrid Fatima Grace Yuki Carmen Olga Priya Nadia Hannah
Chloe Zofia Amara Beatriz Elif Freya Giulia Hana Irina Jasmine Katya Lucia Mei Noor
Paula Rosa Sofia Tara Wanda Aisha Bridget Camille Daphne Esther Florence Gwen Helga
Ines Judith Kirsten Lorna Miriam Nell Odile Petra Renata Sylvie Thandi Ursula Vera
Winnie Yasmin Zara""".split()
MALE = """Ahmed Bruno Carlos David Emil Farid Gustav Hugo Ivan Jonas Karim Liam Marco
Nikolai Oscar Pedro Quentin Rafael Samir Tomas Umar Viktor William Xavier Yusuf Zoltan
Anton Boris Colin Dmitri Edward Felix George Hassan Igor Jakub Kwame Lars Mateo Neil
Omar Patrick Ravi Stefan Theo Vincent Walter Arjun Bernard Cedric Desmond Erik Fergus
Graham Hiroshi Joseph""".split()
SURNAMES = """Weber Novak Silva Okafor Tanaka Haddad Larsen Moreau Kowalski Petrov
Singh Murphy Costa Schmidt Rossi Ivanova Nguyen Chen Kim Garcia Dubois Jansen Virtanen
Horvat Popescu Demir Mensah Diallo Fischer Keller Baker Thornton Whitfield Osborne
Pickering Langley Marsden Holloway Ashworth Bramley Calloway Dunbar Ellery Fairfax
Goddard Hartley Ingram Jessop Kendrick Lockwood Merrick Norwood Oakley Prescott Quigley
Radcliffe Sandoval Trevino Upton Vasquez Winslow Yardley Zapata Abbott Brandt Castillo
Eriksen Farrow Gallo Hossain Iqbal Joshi Kaya Lindqvist Mbeki Nakamura Oliveira Pereira
Reyes Sato""".split()
PLACES = """Berlin;Lisbon;Nairobi;Osaka;Toronto;Lima;Cairo;Helsinki;Prague;Bristol;Leeds;
Chicago;Boston;Denver;Seattle;Mumbai;Jakarta;Hanoi;Accra;Dakar;Tunis;Athens;Naples;Lyon;Geneva;
Rotterdam;Antwerp;Malmö;Bergen;Gdansk;Riga;Tallinn;Zagreb;Belgrade;Sofia;Ankara;Beirut;Amman;
Tehran;Karachi;Dhaka;Colombo;Manila;Taipei;Seoul;Perth;Auckland;Santiago;Bogotá;Quito;Havana;
Kingston;Montreal;Cardiff;Dundee;Norwich;Exeter;Carlisle;New York;San Diego;Cape Town;
Buenos Aires;Kuala Lumpur;Hong Kong;Saint Petersburg;Mexico City;Germany;Portugal;Kenya;Japan;
Canada;Peru;Egypt;Finland;Poland;Brazil;India;Vietnam;Ghana;Morocco;Greece;Italy;Switzerland;
Norway;Croatia;Turkey;Jordan;Australia;Chile;Ireland;Scotland;Wales;South Korea;New Zealand;
Bavaria;Tuscany;Catalonia;California;Ontario;Kerala;Brittany;Andalusia"""
ORG_STEMS = """Nordwind;Alder;Brightwater;Cobalt;Delmar;Evergreen;Falcon;Greystone;Harbour;
Ironbridge;Juniper;Kestrel;Lumen;Meridian;Northgate;Orchard;Pinnacle;Quarry;Redwood;Silverline;
Thistle;Umbra;Vantage;Westbrook;Yarrow;Zenith;Amberley;Birchwood;Castor;Dovetail;Elmfield;
Foxglove;Granite;Hazelton;Indigo;Larkspur;Magnolia;Nimbus;Oakhurst;Polaris;Riverside;
Stonebridge;Tamarind;Velora;Windmill"""
ORG_KINDS = """Bank;Foods;Motors;Airways;Energy;Software;Textiles;Logistics;Pharma;Insurance;
Media;Press;Systems;Hotels;Railways;Shipping;Robotics;Holdings;Telecom;Breweries;Furniture;
Electronics;Group;Books;Travel;Labs;Studios;& Sons;Brothers;Partners;Cycles;Farms;Steel"""
INSTITUTIONS = """{stem} University;{stem} College;{stem} Museum;{stem} Hospital;{stem} Theatre;
{stem} Institute;{stem} Foundation;{stem} Trust;{stem} Council;{stem} Gallery;{stem} Academy;
{stem} Orchestra;University of {city};{city} University;Bank of {city};{city} Zoo;
Port of {city};{city} City Council;Red Cross;World Bank;United Nations;European Commission;
Supreme Court;Royal Society"""

# Fillers by slot, separated by semicolons; "|p" marks a plural.
FILLERS: dict[str, str] = {
    "role": """the manager;the driver;the mayor;the new teacher;the architect;the nurse;
        the chef;the editor;the farmer;the librarian;the engineer;a_ volunteer;
        a_ young painter;the photographer;the landlord;the tenant;the plumber;the receptionist;
        the coach;the accountant;the director;a_ retired pilot;the gardener;the electrician;
        the owner;the pharmacist;the chairwoman;the translator;the minister;a_ student;
        an old fisherman;the curator;the postman;the head of the school;my neighbour;my sister;
        our guide;her brother;his colleague;the woman at the desk;
        the caretaker of the building;the children|p;the students|p;two engineers|p;
        the residents|p;the volunteers|p;my parents|p;the owners of the shop|p;
        several nurses|p;the workers|p;the neighbours|p;both players|p""",
    "who": "the customers|p;the visitors|p;the class;the committee;the guests|p;the staff;the"
    " press;"
    "the whole team;the passengers|p;the council;her parents|p;his daughter;the audience;me;us|p;"
    "a_ friend;the new intern;the board;the family;the tenants|p;a_ colleague from {place}",
    "sight": """the castle;the old harbour;the museum;a_ market in {place};
        the botanical garden;the exhibition;a_ factory near {place};the cathedral of {place};
        the library;a_ small island;the school;the construction site;the headquarters of {org};
        the villages|p;three museums|p;the vineyards around {place}|p;{place}""",
    "goods": """a_ bicycle;a_ laptop;the keys|p;two tickets|p;an umbrella;a_ box of books;
        the camera;a_ second-hand car;a_ warm coat;some flowers|p;a_ new phone;the furniture;
        a_ wooden table;the medicine;a_ printer;a_ guitar;the spare parts|p;six chairs|p;
        an old map of {place};a_ painting by {person};the equipment;a_ set of knives;
        ten lamps|p;the uniforms|p;an electric kettle;the tools|p;a_ tent""",
    "document": """the report;a_ letter;the contract;an email;the invoice;
        the results of the survey|p;a_ list of names;the minutes of the meeting|p;
        the documents|p;the photographs|p;an article about {place};the proposal;
        a_ postcard from {place};the timetable;the application;the agenda;a_ copy of the lease;
        the plans for the bridge|p;the figures for March|p;the annual report of {org};a_ note""",
    "food": """the soup;a_ sandwich;two coffees|p;a_ pot of tea;the fish;a_ salad;
        rice with vegetables;a_ slice of apple cake;the pancakes|p;a_ bowl of noodles;
        some bread;an omelette;a_ bottle of water;the lamb;the pasta;fresh strawberries|p;
        a_ plate of cheese;the curry""",
    "building": """a_ bridge;the town hall;a_ new school;the swimming pool;the railway station;
        a_ warehouse near {place};the theatre;a_ hospital;the library;two apartment blocks|p;
        the old mill;a_ car park;the tunnel;a_ branch in {place};the ferry terminal;
        a_ wind farm;the bakery;the playground""",
    "machine": """the washing machine;the boiler;the roof;a_ lift;the traffic lights|p;
        the heating;the old computers|p;the front door;the water pipes|p;the engine;
        the windows|p;the lamps in the hall|p;a_ coffee machine;the clock;the fence;the alarm;
        the projector""",
    "event": """the meeting;the concert;a_ workshop;the conference in {place};the lecture;
        the flight to {place};the appointment;the tour;the match;a_ training course;
        the interview;the auction;the festival;the election;the inspection""",
    "plan": """the budget;the plan;a_ new timetable;the merger with {org};the proposal;
        the design;the changes|p;the project in {place};the rules for visitors|p;the route;
        the schedule;the next steps|p;the programme for the autumn;a_ partnership with {org};
        the price list""",
    "money": "forty euros|p;two thousand pounds|p;the rent;the bill;half of the price;ninety"
    " dollars|p;"
    "the full amount;a_ small fee;a_ deposit of 200 euros;€60;$1,500",
    "price": "twelve euros;forty pounds;$30;half the price;two million dollars;€900;less than a_"
    " hundred euros",
    "work": """a_ novel;the song;a_ short film;the poem;an essay on {place};a_ cookbook;
        the translation;a_ biography of {person};the play;two articles|p;
        a_ guidebook to {place};the speech""",
    "vehicle": "the bus;a_ van;the lorry;her car;the tractor;a_ taxi;the ambulance;a_ rented car",
    "thing": "{goods};{document};{food}",
    "tpast": """yesterday;last week;on Monday;on Tuesday afternoon;in March;two days ago;
        in 2019;last summer;at noon;this morning;after lunch;before the meeting;in the evening;
        on 4 May;at nine o'clock;last night;three weeks ago;during the holidays;
        over the weekend;in the early hours;on the first day;in December;
        shortly before midnight;last Friday;a year ago;earlier this month""",
    "tfuture": """tomorrow;next week;on Friday;in June;this evening;after the holidays;
        next year;soon;by Thursday;at ten o'clock;in two hours;on 12 October;later today;
        before the end of the month;in the spring""",
    "tfront": """Yesterday;Last week;On Wednesday;In April;Two months ago;At midday;
        After the break;Last autumn;In 2021;During the night;On Sunday morning;Early this year;
        Before the war;A few days later""",
    "loc": """in {place};in {place};near {place};at the station;in the garden;at the airport;
        in the kitchen;in front of the town hall;on the second floor;at the office;in the park;
        outside the hotel;behind the school;at a hotel in {place};in the centre of {place};
        at the harbour""",
    "manner": "quickly;carefully;quietly;in person;by email;without a word;slowly;by hand;with"
    " great care",
    "purpose": "for a_ school project;for the archive;for her birthday;for the begin_offset;for"
    " safety reasons",
    "clausal": """
        <a.ARG1 the meeting> <a.ARGM-MOD would> <a:start.01 start> <a.ARGM-TMP at eleven>;
        <a.ARG1 the office in {place}> <a.ARGM-MOD would> <a:close.01 close> <a.ARGM-TMP in August>;
        <a.ARG0 {person}> had <a:leave.11 left> <a.ARG1 {place}>;
        <a.ARG1 the train to {place}> had <a.ARGM-NEG not> <a:arrive.01 arrived>;
        <a.ARG0 {org}> had <a:buy.01 bought> <a.ARG1 the land>;
        <a.ARG1 the report> <a:be.01 was> <a.ARG2 in the drawer>;
        <a.ARG0 nobody> had <a:read.01 read> <a.ARG1 the contract>;
        <a.ARG1 the keys> had been <a:find.01 found> <a.ARGM-LOC in the car>;
        <a.ARG0 they> <a.ARGM-MOD would> <a:send.01 send> <a.ARG1 the forms> <a.ARGM-TMP next week>;
        <a.ARG0 she> <a.ARGM-MOD could> <a.ARGM-NEG not> <a:open.01 open> <a.ARG1 the file>;
        <a.ARG1 the price> <a.ARGM-MOD would> <a:rise.01 rise> <a.ARG2 by two percent>;
        <a.ARG0 the builders> <a:need.01 needed> <a.ARG1 another week>;
        <a.ARG0 {person}> <a:work.01 worked> <a.ARG2 for {org}>""",
    "state": """on the list;well known;part of the plan;the main topic of the day;new;
        the only one in {place};older than the town;from {place};the first of its kind;
        available;not for sale;in the archive""",
    "speaker": """{P1};{P1};{P2};{role_one};the spokeswoman of {O1};a_ spokesman for {O1};{he1};
        the head of {O1};a_ resident of {place}""",
    "role_one": """the manager;the mayor;the driver;the teacher;a_ witness;the editor;the minister;
        the director;the landlord;the coach;the curator;the engineer""",
    "work_noun": "novel;album;film;play;opera;exhibition;poem",
    "survivors": "an old woman;two children|p;a_ family of five;{P2}",
    "greeting": "Dear [PER: {first2}],;Hello [PER: {first2}],;Hi [PER: {first2}],;Dear colleagues,",
}

POSITIVE_FILLERS: dict[str, str] = {
    "adj": """excellent;wonderful;delicious;superb;charming;perfect;delightful;outstanding;
        brilliant;lovely;very friendly;fantastic;a real pleasure;better than ever;beautiful;
        spotless;remarkably good;great;a dream;worth every penny;warm and generous;flawless;
        impressive;the best in years;truly moving""",
    "adv": "beautifully;perfectly;with real warmth;wonderfully well;at once and with a_"
    " smile;brilliantly",
    "gift": """a_ free dessert;a_ better room;a_ full refund;a_ warm welcome;fresh flowers;
        excellent advice;a_ lovely surprise;a_ delicious breakfast;a_ generous discount;
        superb wine""",
    "boon": """a_ great success;a_ well-deserved prize;a_ record profit;
        a_ wonderful opportunity;a_ happy ending;a_ huge improvement;good news""",
    "adj_short": "lovely;wonderful;great;charming;excellent;splendid;amazing;perfect",
}
NEGATIVE_FILLERS: dict[str, str] = {
    "adj": """terrible;awful;disgusting;rude;dirty;a disaster;disappointing;horrible;
        far too expensive;cold and tasteless;useless;a waste of money;unbearably noisy;
        dreadful;worse than ever;boring;unacceptable;shabby;painfully slow;a bad joke;mouldy;
        hopelessly out of date;miserable;poor;very unfriendly""",
    "adv": "terribly;badly;with open contempt;without any apology;horribly;in the worst possible"
    " way",
    "gift": """a_ dirty room;a_ rude answer;the wrong bill;cold soup;a_ broken lamp;
        stale bread;awful coffee;a_ mouldy towel;an insulting offer;sour milk""",
    "boon": """a_ complete failure;a_ heavy loss;a_ serious setback;an ugly scandal;
        a_ painful defeat;a_ disgrace;bad news""",
    "adj_short": "terrible;dreadful;awful;horrible;miserable;filthy;ugly;overpriced",
}
SHARED_FILLERS: dict[str, str] = {
    "aspect": """the food;the service;the room;the staff;the soup;the breakfast;the view;the plot;
        the acting;the sound;the battery;the screen;the music;the lamb;the coffee;the bathroom;
        the crew;the bed;the ending;the second chapter;the menu;the delivery;the cake;
        the tour;the pool;
        the packaging;the whole evening""",
    "venue": "hotel;restaurant;café;museum;cinema;campsite;bakery;theatre;bookshop;hostel;bar;spa",
    "product": """vacuum cleaner;phone;backpack;novel;kettle;camera;mattress;jacket;game;bicycle;
        album;lamp;toaster""",
    "news": "announcement;decision;agreement;report;verdict;result;ruling;outcome",
}


@dataclass(frozen=True)
class Verb:
    """A verb with its PropBank roles, as used by the clause patterns.

    roleset (str): Such as "visit.01".
    forms (str): Base, past, participle, -ing and third person, separated by spaces.
    role (str): The subject's role.
    subjects (str): Slots that may be the subject, separated by spaces.
    object (str): "ROLE slot", or "" if the verb takes none.
    rest (str): Marked complements and adjuncts separated by semicolons, of which one may be used.
    """

    roleset: str
    forms: str
    role: str
    subjects: str
    object: str = ""
    rest: str = ""


def _regular(base: str) -> str:
    stem = base.removesuffix("e")
    past = f"{stem}ed"
    third = f"{base}es" if base.endswith(("sh", "ch", "ss")) else f"{base}s"
    if base.endswith("y") and base[-2] not in "aeo":
        past, third = f"{base[:-1]}ied", f"{base[:-1]}ies"
    return f"{base} {past} {past} {stem}ing {third}"


_TO = "<a.ARG2 to {who}>;<a.ARG2 to {P2}>;<a.ARG2 to {O1}>"
_FROM = "<a.ARG2 from {P2}>;<a.ARG2 from {O1}>;<a.ARG2 from {who}>"
_ANYONE = "P1 P2 role O1"
_PEOPLE = "P1 P2 role role"
_FIRMS = "O1 O2"
VERBS = [
    Verb("visit.01", _regular("visit"), "ARG0", _PEOPLE, "ARG1 sight"),
    Verb("give.01", "give gave given giving gives", "ARG0", _ANYONE, "ARG1 thing", _TO),
    Verb("send.01", "send sent sent sending sends", "ARG0", _ANYONE, "ARG1 thing", _TO),
    Verb("bring.01", "bring brought brought bringing brings", "ARG0", _PEOPLE, "ARG1 thing", _TO),
    Verb("show.01", "show showed shown showing shows", "ARG0", _PEOPLE, "ARG1 document", _TO),
    Verb("lend.01", "lend lent lent lending lends", "ARG0", _PEOPLE, "ARG1 goods", _TO),
    Verb("hand.01", _regular("hand"), "ARG0", _PEOPLE, "ARG1 document", _TO),
    Verb("deliver.01", _regular("deliver"), "ARG0", _ANYONE, "ARG1 goods", _TO),
    Verb(
        "sell.01",
        "sell sold sold selling sells",
        "ARG0",
        _ANYONE,
        "ARG1 goods",
        _TO + ";<a.ARG3 for {price}>",
    ),
    Verb(
        "buy.01",
        "buy bought bought buying buys",
        "ARG0",
        _ANYONE,
        "ARG1 goods",
        _FROM + ";<a.ARG3 for {price}>",
    ),
    Verb("borrow.01", _regular("borrow"), "ARG0", _PEOPLE, "ARG1 goods", _FROM),
    Verb("receive.01", _regular("receive"), "ARG0", _ANYONE, "ARG1 document", _FROM),
    Verb("collect.01", _regular("collect"), "ARG0", _PEOPLE, "ARG1 document", _FROM),
    Verb("order.02", _regular("order"), "ARG0", _ANYONE, "ARG1 food", _FROM),
    Verb("order.02", _regular("order"), "ARG0", _ANYONE, "ARG1 goods", _FROM),
    Verb("rent.01", _regular("rent"), "ARG0", _ANYONE, "ARG1 vehicle", _FROM),
    Verb(
        "pay.01",
        "pay paid paid paying pays",
        "ARG0",
        _ANYONE,
        "ARG1 money",
        "<a.ARG3 for {goods}>;" + _TO,
    ),
    Verb("cook.01", _regular("cook"), "ARG0", _PEOPLE, "ARG1 food"),
    Verb("eat.01", "eat ate eaten eating eats", "ARG0", _PEOPLE, "ARG1 food"),
    Verb("serve.02", _regular("serve"), "ARG0", _PEOPLE, "ARG1 food", _TO),
    Verb("build.01", "build built built building builds", "ARG0", _FIRMS, "ARG1 building"),
    Verb("open.01", _regular("open"), "ARG0", _ANYONE, "ARG1 building"),
    Verb("close.01", _regular("close"), "ARG0", _ANYONE, "ARG1 building"),
    Verb("design.01", _regular("design"), "ARG0", _ANYONE, "ARG1 building"),
    Verb("renovate.01", _regular("renovate"), "ARG0", _FIRMS, "ARG1 building"),
    Verb("inspect.01", _regular("inspect"), "ARG0", _PEOPLE, "ARG1 building"),
    Verb("photograph.01", _regular("photograph"), "ARG0", _PEOPLE, "ARG1 building"),
    Verb("own.01", _regular("own"), "ARG0", _ANYONE, "ARG1 building"),
    Verb("repair.01", _regular("repair"), "ARG0", _ANYONE, "ARG1 machine"),
    Verb("replace.01", _regular("replace"), "ARG0", _ANYONE, "ARG1 machine"),
    Verb("install.01", _regular("install"), "ARG0", _ANYONE, "ARG1 machine"),
    Verb("clean.01", _regular("clean"), "ARG0", _PEOPLE, "ARG1 machine"),
    Verb("paint.01", _regular("paint"), "ARG0", _PEOPLE, "ARG1 building"),
    Verb("test.01", _regular("test"), "ARG0", _ANYONE, "ARG1 machine"),
    Verb("check.01", _regular("check"), "ARG0", _PEOPLE, "ARG1 document"),
    Verb(
        "organize.01",
        "organise organised organised organising organises",
        "ARG0",
        _ANYONE,
        "ARG1 event",
    ),
    Verb("attend.01", _regular("attend"), "ARG0", _PEOPLE, "ARG1 event"),
    Verb("postpone.01", _regular("postpone"), "ARG0", _ANYONE, "ARG1 event"),
    Verb("move.01", _regular("move"), "ARG0", _ANYONE, "ARG1 event", "<a.ARG2 to {place}>"),
    Verb("record.01", _regular("record"), "ARG0", _PEOPLE, "ARG1 event"),
    Verb(
        "discuss.01",
        _regular("discuss"),
        "ARG0",
        _PEOPLE,
        "ARG1 plan",
        "<a.ARG2 with {who}>;<a.ARG2 with {P2}>",
    ),
    Verb("announce.01", _regular("announce"), "ARG0", _ANYONE, "ARG1 plan"),
    Verb("explain.01", _regular("explain"), "ARG0", _PEOPLE, "ARG1 plan", _TO),
    Verb("describe.01", _regular("describe"), "ARG0", _PEOPLE, "ARG1 plan", ""),
    Verb("approve.01", _regular("approve"), "ARG0", _ANYONE, "ARG1 plan"),
    Verb("present.01", _regular("present"), "ARG0", _ANYONE, "ARG1 plan", _TO),
    Verb("change.01", _regular("change"), "ARG0", _ANYONE, "ARG1 plan"),
    Verb("review.01", _regular("review"), "ARG0", _ANYONE, "ARG1 plan"),
    Verb("write.01", "write wrote written writing writes", "ARG0", _PEOPLE, "ARG1 work"),
    Verb("read.01", "read read read reading reads", "ARG0", _PEOPLE, "ARG1 work"),
    Verb("publish.01", _regular("publish"), "ARG0", _ANYONE, "ARG1 work"),
    Verb("finish.01", _regular("finish"), "ARG0", _PEOPLE, "ARG1 work"),
    Verb("print.01", _regular("print"), "ARG0", _ANYONE, "ARG1 document"),
    Verb(
        "find.01",
        "find found found finding finds",
        "ARG0",
        _PEOPLE,
        "ARG1 goods",
        "<a.ARGM-LOC {loc}>",
    ),
    Verb(
        "drive.01",
        "drive drove driven driving drives",
        "ARG0",
        _PEOPLE,
        "ARG1 vehicle",
        "<a.ARGM-DIR to {place}>",
    ),
    Verb("park.01", _regular("park"), "ARG0", _PEOPLE, "ARG1 vehicle", "<a.ARGM-LOC {loc}>"),
    Verb("wash.01", _regular("wash"), "ARG0", _PEOPLE, "ARG1 vehicle"),
    Verb("hire.01", _regular("hire"), "ARG0", _FIRMS, "ARG1 P1", ""),
    Verb("interview.01", _regular("interview"), "ARG0", "role O1", "ARG1 P1"),
    Verb("contact.01", _regular("contact"), "ARG0", _ANYONE, "ARG1 P1"),
    Verb(
        "invite.01",
        _regular("invite"),
        "ARG0",
        _ANYONE,
        "ARG1 P1",
        "<a.ARG2 to {event}>;<a.ARG2 to {place}>",
    ),
    Verb("photograph.01", _regular("photograph"), "ARG0", "role", "ARG1 P1"),
    Verb("join.04", _regular("join"), "ARG0", _PEOPLE, "ARG1 O1"),
    Verb(
        "arrive.01",
        _regular("arrive"),
        "ARG1",
        _PEOPLE,
        "",
        "<a.ARG4 in {place}>;<a.ARG4 at the station>;<a.ARG4 at the hotel>",
    ),
    Verb(
        "return.01",
        _regular("return"),
        "ARG1",
        _PEOPLE,
        "",
        "<a.ARG4 to {place}>;<a.ARG3 from {place}>",
    ),
    Verb(
        "travel.01",
        _regular("travel"),
        "ARG0",
        _PEOPLE,
        "",
        "<a.ARG4 to {place}>;<a.ARGM-DIR through {place}>",
    ),
    Verb(
        "work.01",
        _regular("work"),
        "ARG0",
        _PEOPLE,
        "",
        "<a.ARG2 for {O1}>;<a.ARG1 as a_ guide>;<a.ARG1 on the report>",
    ),
    Verb(
        "live.01",
        _regular("live"),
        "ARG0",
        _PEOPLE,
        "",
        "<a.ARGM-LOC in {place}>;<a.ARGM-LOC near {place}>",
    ),
    Verb("sing.01", "sing sang sung singing sings", "ARG0", _PEOPLE, "", "<a.ARGM-LOC {loc}>"),
    Verb(
        "sleep.01", "sleep slept slept sleeping sleeps", "ARG0", _PEOPLE, "", "<a.ARGM-LOC {loc}>"
    ),
    Verb(
        "speak.01",
        "speak spoke spoken speaking speaks",
        "ARG0",
        _PEOPLE,
        "",
        "<a.ARG2 to {who}>;<a.ARG1 about {plan}>",
    ),
    Verb("vote.01", _regular("vote"), "ARG0", "role who", "", "<a.ARG1 for {plan}>"),
    Verb("call.02", _regular("call"), "ARG0", _PEOPLE, "ARG1 P2"),
    Verb("teach.01", "teach taught taught teaching teaches", "ARG0", _PEOPLE, "ARG2 who"),
    Verb("choose.01", "choose chose chosen choosing chooses", "ARG0", _ANYONE, "ARG1 plan"),
    Verb("carry.01", _regular("carry"), "ARG0", _PEOPLE, "ARG1 goods"),
    Verb("sign.01", _regular("sign"), "ARG0", _ANYONE, "ARG1 document"),
]

# Clause patterns by what they ask of the verb and its subject: any, a named or described subject,
# also a person, also an object, an object that is a thing, or an object and a recipient.
ANY_PATTERNS = [
    "<a.$role $subject> <a:$sense $past> $object_mark $rest $tpast.",
    "<a.ARGM-TMP {tfront}>, <a.$role $subject> <a:$sense $past> $object_mark $rest.",
    "<a.$role $subject> <a.ARGM-MOD will> <a:$sense $base> $object_mark $rest $tfuture.",
    "<a.$role $subject> <a.ARGM-MOD $modal> <a:$sense $base> $object_mark $rest $tfuture.",
    "<a.$role $subject> <a.ARGM-MOD $modal> <a.ARGM-NEG not> <a:$sense $base> $object_mark $rest.",
    "<a.$role $subject> <a.ARGM-MOD wo><a.ARGM-NEG n't> <a:$sense $base> $object_mark $rest"
    " $tfuture.",
    "<a.$role $subject> did <a.ARGM-NEG not> <a:$sense $base> $object_mark $rest $tpast.",
    "<a.$role $subject> did<a.ARGM-NEG n't> <a:$sense $base> $object_mark $rest.",
    "<a.$role $subject> $has <a.ARGM-TMP already> <a:$sense $part> $object_mark $rest.",
    "<a.$role $subject> $has <a.ARGM-NEG never> <a:$sense $part> $object_mark $rest.",
    "<a.$role $subject> $was <a:$sense $ing> $object_mark $rest $tpast.",
    "<a.$role $subject> <a:$sense $past> $object_mark $rest <a.ARGM-MNR {manner}>.",
    "Did <a.$role $subject> <a:$sense $base> $object_mark $rest $tpast?",
    "<a.ARGM-MOD $modal> <a.$role $subject> <a:$sense $base> $object_mark $rest $tfuture?",
    "<a.ARGM-TMP When> did <a.$role $subject> <a:$sense $base> $object_mark $rest?",
    "<a.ARGM-CAU Why> did<a.ARGM-NEG n't> <a.$role $subject> <a:$sense $base> $object_mark $rest?",
    "<a.$role,b.ARG0 $subject> <b:want.01 wanted> <b.ARG1 to <a:$sense $base> $object_mark $rest>.",
    "<a.$role,b.ARG0 $subject> <b:plan.01 planned> <b.ARG1 to <a:$sense $base> $object_mark"
    " $rest>.",
    "<a.$role,b.ARG0 $subject> <b:refuse.01 refused> <b.ARG1 to <a:$sense $base> $object_mark>.",
    "<a.$role,b.ARG0 $subject> <b:promise.01 promised> <b.ARG2 to <a:$sense $base> $object_mark"
    " $rest"
    " $tfuture>.",
    "<a.$role,b.ARG0 $subject> $has <b:agree.01 agreed> <b.ARG1 to <a:$sense $base> $object_mark"
    " $rest>.",
    "<a.$role,b.ARG0 $subject> <b:try.01 tried> <b.ARG1 to <a:$sense $base> $object_mark $rest>,"
    " but"
    " <c.ARG1 {event}> <c:begin.01 began> <c.ARGM-TMP too early>.",
    "<a.$role,b.ARG0 $subject> <b:decide.01 decided> <b.ARG1 <a.ARGM-NEG not> to <a:$sense $base>"
    " $object_mark $rest>.",
    "<b.ARG0 {speaker}> <b:say.01 said> <b.ARG1 that <a.$role $subject> had <a:$sense $part>"
    " $object_mark $rest>.",
    "<b.ARG0 {speaker}> <b:confirm.01 confirmed> <b.ARGM-TMP {tpast}> <b.ARG1 that <a.$role"
    " $subject>"
    " <a.ARGM-MOD would> <a:$sense $base> $object_mark $rest>.",
    "<b.ARG0 {speaker}> <b:believe.01 believes> <b.ARG1 that <a.$role $subject> <a:$sense $past>"
    " $object_mark $rest>.",
    "<b.ARG0 {speaker}> <b:ask.01 asked> <b.ARG1 whether <a.$role $subject> <a.ARGM-MOD would>"
    " <a:$sense $base> $object_mark $rest>.",
    "<b.ARG0 {speaker}> <b:know.01 knows> <b.ARG1 <a.ARGM-TMP when> <a.$role $subject>"
    " <a.ARGM-MOD will> <a:$sense $base> $object_mark $rest>.",
    '"<b.ARG1 <a.$role $subject> <a:$sense $past> $object_mark $rest $tpast>," <b.ARG0 {speaker}>'
    " <b:say.01 said>.",
    '"<b.ARG1 <a.$role $subject> <a.ARGM-MOD will> <a:$sense $base> $object_mark $rest>,"'
    " <b:say.01 said> <b.ARG0 {speaker}> <b.ARGM-TMP {tpast}>.",
    "<a.$role,b.ARG0 $subject> <a:$sense $past> $object_mark $rest and then <b:leave.11 left>"
    " <b.ARG1 {place}>.",
    "<a.$role,b.ARG0 $subject> <b:thank.01 thanked> <b.ARG1 {who}> and <a:$sense $past>"
    " $object_mark"
    " $rest.",
    "<b.ARGM-TMP <a.ARGM-TMP When> <a.$role $subject> <a:$sense $past> $object_mark $rest>, <b.ARG1"
    " {event}> had <b.ARGM-TMP already> <b:start.01 started>.",
    "<b.ARG1 {event}> was <b:cancel.01 cancelled> <b.ARGM-CAU because <a.$role $subject> did"
    " <a.ARGM-NEG not> <a:$sense $base> $object_mark $rest>.",
    "<a.$role,b.ARG0 $subject> <b:travel.01 travelled> <b.ARG4 to {place}> <b.ARGM-PRP to <a:$sense"
    " $base> $object_mark>.",
    "<b.ARGM-ADV If <a.$role $subject> <a:$sense $present> $object_mark $rest>, <b.ARG0 {speaker}>"
    " <b.ARGM-MOD will> <b:write.01 write> <b.ARG2 to {who}>.",
    "<b.ARGM-TMP Before <a.$role $subject> <a:$sense $past> $object_mark $rest>, <b.ARG0 {speaker}>"
    " <b:read.01 read> <b.ARG1 {document}>.",
    "<c.ARG0 {speaker}> <c:read.01 read> <c.ARG1 {work}>, while <a.$role $subject> <a:$sense $past>"
    " $object_mark.",
]
NAMED_PATTERNS = [
    "<b.ARG1 <a.$role $subject>, <a.R-$role $who> <a:$sense $past> $object_mark $rest $tpast>,"
    " <b:come.01 $comes> <b.ARG3 from {place}>.",
    "<b.ARG0 <a.$role $subject>, <a.R-$role $who> $has <a:$sense $part> $object_mark $rest>,"
    " <b:work.01 $works> <b.ARG2 with {org}>.",
    "<b.ARG0 {speaker}> <b:meet.03 met> <b.ARG1 <a.$role $subject>, <a.R-$role $who> <a:$sense"
    " $past>"
    " $object_mark $rest $tpast>.",
    "<b.ARG0 {speaker}> <b:ask.02 asked> <b.ARG2,a.$role $subject> <b.ARG1 to <a:$sense $base>"
    " $object_mark $rest>.",
    "<b.ARG0 {speaker}> <b:see.01 saw> <b.ARG1 <a.$role $subject> <a:$sense $base> $object_mark>.",
]
PERSON_PATTERNS = [
    "<a.$role Who> <a:$sense $past> $object_mark $rest $tpast?",
    "<a.$role Who> <a.ARGM-MOD will> <a:$sense $base> $object_mark $rest $tfuture?",
    "<a.$role Nobody> <a:$sense $past> $object_mark $rest $tpast.",
    "<b.ARG0 {speaker}> <b:know.01 knows> <b.ARG1 <a.$role the person> <a.R-$role who> <a:$sense"
    " $past>"
    " $object_mark $rest>.",
]
OBJECT_PATTERNS = [
    "<a.$object_role $object> $object_was <a:$sense $part> $rest <a.$role by $subject> $tpast.",
    "<a.$object_role $object> $object_was <a:$sense $part> <a.$role by $subject>.",
    "<a.$object_role $object> $object_was <a:$sense $part> $rest $tpast.",
    "<a.$object_role $object> <a.ARGM-MOD will> be <a:$sense $part> $rest $tfuture.",
    "<a.$object_role $object> <a.ARGM-MOD $modal> be <a:$sense $part> $tfuture <a.$role by"
    " $subject>.",
    "<a.$object_role $object> $object_was <a.ARGM-NEG not> <a:$sense $part> $rest $tpast.",
    "<a.$object_role $object> $object_has <a.ARGM-TMP just> been <a:$sense $part> $rest.",
    "<b.ARG0 {speaker}> <b:see.01 saw> <b.ARG1 <a.$object_role $object> <a.$role $subject> had"
    " <a:$sense $part> $rest>.",
    "<b.ARG0 {speaker}> <b:announce.01 announced> <b.ARG1 that <a.$object_role $object>"
    " <a.ARGM-MOD would> be <a:$sense $part> $rest>.",
    "<b.ARG0 {speaker}> <b:expect.01 expects> <b.ARG1 <a.$object_role $object> to be"
    " <a:$sense $part> $tfuture>.",
]
THING_PATTERNS = [
    "<a.$object_role What> did <a.$role $subject> <a:$sense $base> $rest $tpast?",
    "<a.$object_role What> <a.ARGM-MOD will> <a.$role $subject> <a:$sense $base> $tfuture?",
    "<b.ARG1 <a.$object_role $object> <a.R-$object_role that> <a.$role $subject> <a:$sense"
    " $past> $rest>"
    " <b:be.01 $object_was> <b.ARG2 {state}>.",
    "<b.ARG1 <a.$object_role $object>, <a.R-$object_role which> $object_was <a:$sense $part>"
    " <a.$role by $subject>>, <b:be.01 $object_is> <b.ARG2 {state}>.",
    "<b.ARG1 <a.$object_role $object> <a:$sense $part> <a.$role by $subject>> <b:be.01 $object_was>"
    " <b.ARG2 {state}>.",
]
RECIPIENT_PATTERNS = [
    "<a.$role $subject> <a:$sense $past> <a.ARG2 {who}> <a.$object_role $object> $tpast.",
    "<a.$role $subject> <a.ARGM-MOD will> <a:$sense $base> <a.ARG2 {P2}> <a.$object_role $object>.",
    "<a.ARG2 $receiver> $receiver_was <a:$sense $part> <a.$object_role $object> <a.$role by"
    " $subject>.",
    "<a.ARGM-MOD $modal> <a.$role $subject> <a:$sense $base> <a.ARG2 {who}> <a.$object_role"
    " $object>?",
]
RECIPIENTS = {
    "give.01",
    "send.01",
    "bring.01",
    "show.01",
    "lend.01",
    "hand.01",
    "sell.01",
    "serve.02",
}
MODALS = ["can", "could", "may", "might", "must", "should", "would"]

# Sentences by style and sentiment; {adj}, {adv}, {gift} and {boon} follow the sentiment.
_REVIEW = [
    "<a.ARG1 {aspect}> <a:be.01 was> <a.ARG2 {adj}>.",
    "<a.ARG1 {aspect}> <a:be.01 was> <a.ARG2 {adj}>, and <b.ARG1 {aspect}> <b:be.01 was> <b.ARG2"
    " {adj}>"
    " <b.ARGM-DIS too>.",
    "<a.ARG0 {P1s}> <a:give.01 gave> <a.ARG2 us> <a.ARG1 {gift}>.",
    "<a.ARG0 {speaker}> <a:bring.01 brought> <a.ARG2 me> <a.ARG1 {gift}> <a.ARGM-TMP {tpast}>.",
    "<b.ARG1 <a.ARG1 The {product}> <a.R-ARG1 that> <a.ARG0 {O1}> <a:sell.01 sold> <a.ARG2 me>>"
    " <b:be.01 is> <b.ARG2 {adj}>.",
    "<b.ARG1 <a.ARG1 The {product}> <a.ARG0 I> <a:order.02 ordered> <a.ARG2 from {O1}>> <b:be.01"
    " was>"
    " <b.ARG2 {adj}>.",
    "<a.ARG0 The staff> <a:treat.01 treated> <a.ARG1 us> <a.ARG2 {adv}>.",
    "<a.ARG1 We> were <a:treat.01 treated> <a.ARG2 {adv}> <a.ARG0 by {role_one}>.",
    "<a.ARG1 {aspect}>, <b.ARG0 I> <b.ARGM-MOD must> <b:say.01 say>, <a:be.01 was> <a.ARG2 {adj}>.",
    "<a.ARG0 I> <a:think.01 think> <a.ARG1 that <b.ARG1 {aspect}> <b:be.01 was> <b.ARG2 {adj}>>.",
    "<a.ARGM-TMP <b.ARGM-TMP When> <b.ARG0 we> <b:ask.01 asked> <b.ARG1 about {aspect}>>, <a.ARG0"
    " {role_one}> <a:answer.01 answered> <a.ARGM-MNR {adv}>.",
    "<b.ARG1 <a.ARG1 {aspect}>, <a.R-ARG1 which> <a:cost.01 cost> <a.ARG2 {price}>>, <b:be.01 was>"
    " <b.ARG2 {adj}>.",
    "<a.ARG1 The {venue} in {place}> <a:be.01 is> <a.ARG2 {adj}>.",
    "<a.ARG0 {P2}> <a:call.01 called> <a.ARG1 {aspect}> <a.ARG2 {adj}>.",
    "<b.ARG0 <a.ARG0 {P1}>, <a.R-ARG0 who> <a:run.01 runs> <a.ARG1 the {venue}>>, <b:greet.01"
    " greeted>"
    " <b.ARG1 us> <b.ARGM-MNR {adv}>.",
]
_NEWS = [
    "<a.ARG1 The {news}> <a:be.01 is> <a.ARG2 {boon} for {O1}>.",
    '"<b.ARG1 <a.ARG1 This> <a:be.01 is> <a.ARG2 {boon} for {place}>>," <b.ARG0 {speaker}>'
    " <b:say.01 said>.",
    '"<b.ARG1 <a.ARG1 It> <a:be.01 was> <a.ARG2 {adj}>>," <b.ARG0 {role_one}> <b:tell.01 told>'
    " <b.ARG2"
    " reporters> <b.ARGM-LOC in {place}>.",
    "<a.ARG0 {P1}> <a:call.01 called> <a.ARG1 the {news}> <a.ARG2 {boon}>.",
    "<a.ARG0 Residents> <a:describe.01 described> <a.ARG1 the {news}> <a.ARG2 as {boon}>.",
    "<a.ARG1 {O1}> <a:end.01 ended> <a.ARG2 the year> <a.ARGM-MNR with {boon}>.",
    "<b.ARG0 {speaker}> <b:say.01 said> <b.ARG1 that <a.ARG1 the {news}> <a:be.01 was> <a.ARG2"
    " {boon}>>.",
    "<a.ARG0 Critics> <a:find.02 found> <a.ARG1 the new {work_noun} by {P1} {adj}>.",
]
_MAIL = [
    "<a.ARG0 I> <a:think.01 think> <a.ARG1 <b.ARG1 {aspect}> <b:be.01 was> <b.ARG2 {adj}>>.",
    "<a.ARG1 Your {news}> <a:be.01 is> <a.ARG2 {boon}> <a.ARGM-ADV for all of us>.",
    "<a.ARG0 {P1s}> <a:answer.01 answered> <a.ARG1 my questions> <a.ARGM-MNR {adv}>.",
    "<a.ARG1 The work of {O1}> has <a:be.01 been> <a.ARG2 {adj}>.",
    "<b.ARG1 <a.ARG1 The {product}> <a.R-ARG1 that> <a.ARG0 you> <a:send.01 sent> <a.ARG2 me>>"
    " <b:be.01 is>"
    " <b.ARG2 {adj}>.",
    "<a.ARG0 {O1}> <a:handle.01 handled> <a.ARG1 my order> <a.ARGM-MNR {adv}>.",
    "<a.ARG0 Your colleague {P2}> <a:offer.01 offered> <a.ARG3 me> <a.ARG1 {gift}>.",
    "<a.ARG1 {event}> <a:be.01 was> <a.ARG2 {boon}>.",
]
TEMPLATES: dict[tuple[str, str], list[str]] = {
    ("review", "positive"): [
        *_REVIEW,
        "<a.ARG0 I> <a:love.01 loved> <a.ARG1 {aspect}>.",
        "<a.ARG0 We> <a.ARGM-ADV really> <a:enjoy.01 enjoyed> <a.ARG1 {aspect}>.",
        "<a.ARG0 We> <a.ARGM-TMP still> <a:talk.01 talk> <a.ARG1 about {aspect}>, <a.ARGM-CAU"
        " because"
        " <b.ARG1 it> <b:be.01 was> <b.ARG2 {adj}>>.",
        "<a.ARG0 {aspect}> did <a.ARGM-NEG not> <a:disappoint.01 disappoint> <a.ARG1 us>.",
        "<a.ARG0 I> <a.ARGM-MOD would> <a:recommend.01 recommend> <a.ARG1 this {venue}> <a.ARG2 to"
        " <b.ARG0 anyone> <b.R-ARG0 who> <b:visit.01 visits> <b.ARG1 {place}>>.",
        "<a.ARG0 My children> <a:adore.01 adored> <a.ARG1 {aspect}> and <b.ARG0,c.ARG1 they>"
        " <b:want.01"
        " want> <b.ARG1 to <c:return.01 return> <c.ARGM-TMP {tfuture}>>.",
        "<a.ARG0 I> <a.ARGM-MOD can> <a.ARGM-MNR warmly> <a:recommend.01 recommend> <a.ARG1 {O1}>.",
        "<a.ARG1 {aspect}> <a.ARGM-MOD could> <a.ARGM-NEG not> have <a:be.01 been> <a.ARG2"
        " better>.",
        "<a.ARG0 {aspect}> <a:exceed.01 exceeded> <a.ARG1 all our expectations>.",
        "<a.ARG1 We> <a.ARGM-MOD will> <a.ARGM-MNR gladly> <a:return.01 return> <a.ARGM-TMP"
        " {tfuture}>.",
        "<a.ARG0 {he1}> <a:repair.01 repaired> <a.ARG1 my {product}> <a.ARGM-ADV for free>, and"
        " <b.ARG1"
        " everybody> <b:be.01 was> <b.ARG2 delighted>.",
        "What a_ {adj_short} {venue}!",
    ],
    ("review", "negative"): [
        *_REVIEW,
        "<a.ARG0 I> <a:hate.01 hated> <a.ARG1 {aspect}>.",
        "<a.ARG0 {aspect}> <a:ruin.01 ruined> <a.ARG1 our holiday in {place}>.",
        "<a.ARG0 Nobody> <a:apologize.01 apologised> <a.ARG1 for {aspect}>.",
        "<a.ARG0 I> <a:complain.01 complained> <a.ARG1 about {aspect}>, but <b.ARG0 {role_one}>"
        " <b:ignore.01 ignored> <b.ARG1 me>.",
        "<a.ARG1 My {product}> <a:break.01 broke> <a.ARGM-TMP after two days>, and"
        " <b.ARG0,c.ARG0 {O1}>"
        " <b:refuse.01 refused> <b.ARG1 to <c:repair.01 repair> <c.ARG1 it>>.",
        "<a.ARG0 We> <a.ARGM-MOD will> <a.ARGM-NEG never> <a:book.03 book> <a.ARG1 this {venue}>"
        " <a.ARGM-TMP again>.",
        "<a.ARG0 I> <a.ARGM-MOD would> <a.ARGM-NEG not> <a:recommend.01 recommend> <a.ARG1 {O1}>"
        " <a.ARG2"
        " to my worst enemy>.",
        "<a.ARG1 We> <a:wait.01 waited> <a.ARG2 for {food}> <a.ARGM-TMP for two hours>.",
        "<a.ARG0 {he1}> <a:shout.01 shouted> <a.ARG2 at my daughter> <a.ARGM-TMP {tpast}>.",
        "<a.ARG1 {aspect}> did<a.ARGM-NEG n't> <a:work.09 work>, and <b.ARG0 they> <b:charge.01"
        " charged>"
        " <b.ARG2 us> <b.ARG1 {price}>.",
        "<a.ARG0 I> <a:regret.01 regret> <a.ARG1 that <b.ARG0 I> <b:pay.01 paid> <b.ARG1 {price}>"
        " <b.ARG3 for this {product}>>.",
        "<a.ARGM-DIS Please> do<a.ARGM-NEG n't> <a:buy.01 buy> <a.ARG1 this {product}>.",
        "What a_ {adj_short} {venue}!",
    ],
    ("review", "neutral"): [
        "<a.ARG1 The {venue}> <a:be.01 is> <a.ARG2 in {place}>.",
        "<a.ARG0 We> <a:stay.01 stayed> <a.ARGM-LOC at the {venue}> <a.ARGM-TMP for two nights>.",
        "<a.ARG1,b.ARG1 The {venue}> <a:open.01 opens> <a.ARGM-TMP at nine> and <b:close.01 closes>"
        " <b.ARGM-TMP"
        " at six>.",
        "<a.ARG1,b.ARG1 The {product}> <a:be.01 is> <a.ARG2 black> and <b:cost.01 costs>"
        " <b.ARG2 {price}>.",
        "<a.ARG0 I> <a:buy.01 bought> <a.ARG1 the {product}> <a.ARG2 from {O1}> <a.ARG3 for"
        " {price}>.",
        "<a.ARG0,b.ARG0 We> <a:choose.01 chose> <a.ARG1 {food}> and <b:pay.01 paid> <b.ARG1"
        " {price}>.",
        "<a.ARG1 {aspect}> <a:be.01 was> <a.ARG2 neither good nor bad>.",
        "<a.ARG1 {aspect}> <a:be.01 was> <a.ARG2 average>.",
        "<a.ARG1,b.ARG1 Tickets> <a:cost.01 cost> <a.ARG2 {price}> and <b.ARGM-MOD can> be"
        " <b:buy.01"
        " bought>"
        " <b.ARGM-LOC online>.",
        "<a.ARG0 The {venue}> <a:have.03 has> <a.ARG1 forty seats>, and <b.ARG0 it> <b:belong.01"
        " belongs>"
        " <b.ARG1 to {O1}>.",
    ],
    ("news", "positive"): [
        *_NEWS,
        "<a.ARG0 {P1}> <a:win.01 won> <a.ARG1 the gold medal> <a.ARGM-LOC in {place}>"
        " <a.ARGM-TMP {tpast}>.",
        "<a.ARG0 Firefighters> <a:rescue.01 rescued> <a.ARG1 {survivors}> <a.ARG2 from a_"
        " burning house>"
        " <a.ARGM-LOC in {place}>.",
        "<a.ARG0 {O1}> <a.ARGM-MOD will> <a:create.01 create> <a.ARG1 four hundred jobs>"
        " <a.ARGM-LOC in"
        " {place}>.",
        "<a.ARG0 {O1}> <a:donate.01 donated> <a.ARG1 two million dollars> <a.ARG2 to a_"
        " children's hospital>.",
        "<a.ARG0 Thousands of people> <a:cheer.02 cheered> <a.ARGM-TMP <b.ARGM-TMP when> <b.ARG1"
        " {P1}>"
        " <b:return.01 returned> <b.ARG4 to {place}>>.",
        "<a.ARG0 Scientists at {O1}> have <a:discover.01 discovered> <a.ARG1 <b.ARG0 a_ treatment>"
        " <b.R-ARG0 that> <b:save.02 saves> <b.ARG1 lives>>.",
        "<a.ARG1 Unemployment in {place}> <a:fall.01 fell> <a.ARG4 to its lowest level>"
        " <a.ARGM-TMP {tpast}>.",
        "<a.ARG1 The missing boy> was <a:find.01 found> <a.ARGM-PRD safe and well> <a.ARGM-LOC"
        " near {place}>.",
        "<a.ARG1 {P1}> was <a:praise.01 praised> <a.ARG0 by {O1}> <a.ARG2 for great courage>.",
        "<a.ARG0 {O1}> <a:raise.01 raised> <a.ARG1 the wages of all its workers>.",
    ],
    ("news", "negative"): [
        *_NEWS,
        "<a.ARG1 Three people> were <a:kill.01 killed> <a.ARGM-TMP <b.ARGM-TMP when> <b.ARG1 a_"
        " bridge>"
        " <b:collapse.01 collapsed> <b.ARGM-LOC in {place}>>.",
        "<a.ARG0 {O1}> <a.ARGM-MOD will> <a:cut.02 cut> <a.ARG1 two thousand jobs> <a.ARGM-LOC"
        " in {place}>.",
        "<a.ARG0 a_ fire> <a:destroy.01 destroyed> <a.ARG1 {building}> <a.ARGM-TMP {tpast}>.",
        "<a.ARG0 The police> have <a:arrest.01 arrested> <a.ARG1 {P1}> <a.ARGM-LOC in {place}>.",
        "<a.ARG0 Thieves> <a:steal.01 stole> <a.ARG1 {goods}> <a.ARG2 from {O1}>.",
        "<a.ARG0 The flood> <a:damage.01 damaged> <a.ARG1 hundreds of homes> <a.ARGM-LOC near"
        " {place}>.",
        "<a.ARG0 {O1}> <a:lose.02 lost> <a.ARG1 ninety million euros> <a.ARGM-TMP {tpast}>.",
        "<a.ARG0 Doctors> <a:warn.01 warned> <a.ARG1 that <b.ARG1 the disease> <b.ARGM-MOD could>"
        " <b:spread.03 spread> <b.ARGM-LOC in {place}>>.",
        "<a.ARG0 {P1}> <a:blame.01 blamed> <a.ARG1 {O1}> <a.ARG2 for the accident>.",
        "<a.ARG0 Families> <a:mourn.01 mourned> <a.ARG1 <b.ARG1 the victims> <b.R-ARG1 who> had"
        " <b:die.01"
        " died> <b.ARGM-LOC in {place}>>.",
        "<a.ARG0 {O1}> has <a:poison.01 poisoned> <a.ARG1 the river in {place}>.",
    ],
    ("mail", "positive"): [
        *_MAIL,
        "<a.ARG0 We> <a:thank.01 thank> <a.ARG1 you> <a.ARG2 for your wonderful help>.",
        "Congratulations on your success, [PER: {first1}]!",
        "<a.ARG1 I> <a:be.01 am> <a.ARG2 very happy with {aspect}>.",
        "<a.ARG1 It> <a:be.01 was> <a.ARG2 a_ great pleasure>, and <b.ARG0 all of us>"
        " <b:enjoy.01 enjoyed>"
        " <b.ARG1 {event}>.",
    ],
    ("mail", "negative"): [
        *_MAIL,
        "<a.ARG0 I> have <a.ARGM-TMP still> <a.ARGM-NEG not> <a:receive.01 received> <a.ARG1"
        " {goods}>.",
        "<a.ARG1 I> <a:be.01 am> <a.ARG2 very unhappy with {aspect}>.",
        "<a.ARG0 {O1}> has <a:ignore.01 ignored> <a.ARG1 all my letters>.",
        "<a.ARG0 I> <a:demand.01 demand> <a.ARG1 a_ refund> <a.ARGM-TMP by Friday>.",
        "<a.ARGM-CAU Why> does <a.ARG0 nobody> <a:answer.01 answer> <a.ARG1 my calls>?",
        "<a.ARG0 I> <a.ARGM-MOD will> <a:cancel.01 cancel> <a.ARG1 the contract> <a.ARGM-TMP"
        " {tfuture}>.",
        "<a.ARGM-DIS Unfortunately>, <a.ARG1 the {product}> <a:arrive.01 arrived> <a.ARGM-PRD"
        " broken>.",
        "<a.ARG0 You> <a:charge.01 charged> <a.ARG2 me> <a.ARGM-TMP twice>.",
    ],
    ("mail", "neutral"): [
        "<a.ARGM-DIS Please> <a:send.01 send> <a.ARG2 me> <a.ARG1 {document}> <a.ARGM-TMP"
        " {tfuture}>.",
        "<a.ARGM-DIS Please> <a:bring.01 bring> <a.ARG1 {goods}> <a.ARG2 to {event}>.",
        "<a.ARGM-MOD Could> <a.ARG0 you> <a:call.02 call> <a.ARG1 {P2}> <a.ARGM-TMP {tfuture}>?",
        "<a.ARG0 I> <a:attach.01 attach> <a.ARG1 {document}>.",
        "<a.ARG1 {event}> <a:begin.01 begins> <a.ARGM-TMP at ten o'clock> <a.ARGM-LOC {loc}>.",
        "<a.ARG1 My flight to {place}> <a:land.01 lands> <a.ARGM-TMP at noon>.",
        "<a.ARG0 {P2}> <a.ARGM-MOD will> <a:meet.03 meet> <a.ARG1 you> <a.ARGM-LOC {loc}>.",
        "<a.ARG0 I> <a.ARGM-MOD will> <a:be.01 be> <a.ARG2 in {place}> <a.ARGM-TMP {tfuture}>.",
        "<a.ARGM-MOD Can> <a.ARG0 we> <a:discuss.01 discuss> <a.ARG1 {plan}> <a.ARGM-TMP"
        " {tfuture}>?",
        "<b.ARG0 {P2}> <b:tell.01 told> <b.ARG2 me> <b.ARG1 that {clausal}>.",
    ],
    ("news", "neutral"): [
        "<b.ARG0 {speaker}> <b:say.01 said> <b.ARGM-TMP {tpast}> <b.ARG1 that {clausal}>.",
        '"<b.ARG1 {clausal}>," <b.ARG0 {speaker}> <b:say.01 said>.',
        "<b.ARG1 {clausal}>, <b.ARG0 {speaker}> <b:report.01 reported>.",
        "<a.ARG1 {event}> <a.ARGM-MOD will> be <a:hold.04 held> <a.ARGM-LOC in {place}>.",
        "<a.ARG1 {event}> <a:last.01 lasted> <a.ARG2 three hours>.",
        "<a.ARG1 Prices in {place}> <a:rise.01 rose> <a.ARG2 by two percent> <a.ARGM-TMP {tpast}>.",
        "<a.ARG0 {O1}> <a:employ.01 employs> <a.ARG1 nine hundred people> <a.ARGM-LOC in {place}>.",
        "<a.ARG0 Voters in {place}> <a.ARGM-MOD will> <a:elect.01 elect> <a.ARG1 a_ new council>"
        " <a.ARGM-TMP {tfuture}>.",
        "<b.ARG0 <a.ARG1 {P1}>, <a.R-ARG1 who> was <a:bear.02 born> <a.ARGM-LOC in {place}>>,"
        " <b:lead.02"
        " leads> <b.ARG1 {O1}>.",
        "<b.ARG1 <a.ARG1 {O1}>, <a:found.01 founded> <a.ARGM-TMP in 1987>>, <b:be.01 is> <b.ARG2"
        " a_ company"
        " from {place}>.",
    ],
}
STYLES = ("news", "mail", "review")
SENTIMENTS = ("positive", "negative", "neutral")


@dataclass
class _Scene:
    """The people and organisations of one document, and what it has used so far."""

    fillers: dict[str, list[str]]
    bound: dict[str, str]
    pronoun: str
    used: set[str] = field(default_factory=set)
    mentioned: bool = False


@dataclass(frozen=True)
class _Phrase:
    """A noun phrase with marks, the slot that it came from, and its number."""

    text: str
    slot: str
    plural: bool = False

    def agree(self, singular: str, plural: str) -> str:
        """Choose the verb form that agrees; "I" takes the plural form except of "be"."""
        if self.text == "I":
            return {"was": "was", "is": "am"}.get(singular, plural)
        return plural if self.plural else singular


@dataclass
class _Frame:
    """The places of a predicate and its arguments in a sentence."""

    spans: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def predicate(self) -> int:
        return next(start for label, start, _ in self.spans if label.startswith("V="))


_SLOT = re.compile(r"\{(\w+)\}")
_LETTER = re.compile(r"(?<=[<,])([a-z])(?=[.:])")
_ARTICLE = re.compile(r"\ba_ ((?:<[^ >]+ |\[[A-Z]+: )*)(\w+)")
_MARK = re.compile(r"<([^ >]+) |\[([A-Z]+): |[>\]]")
_PRONOUNS = {"I": _Phrase("I", "I"), "we": _Phrase("we", "we", plural=True)}


def _entries(text: str) -> list[str]:
    return [" ".join(entry.split()) for entry in text.split(";")]


class Generator:
    """Writes documents, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        """Start the random numbers.

        seed (int): The seed.
        """
        self.random = random.Random(seed)
        self.seed = seed
        self.frames = 0
        self.scene = self._make_scene("neutral")

    def write_document(self, index: int) -> str:
        """Write one document.

        index (int): Its number, part of its name; it also sets its sentiment and style.
        RETURNS (str): The document in the inline format.
        """
        sentiment = SENTIMENTS[index % len(SENTIMENTS)]
        style = STYLES[index // len(SENTIMENTS) % len(STYLES)]
        self.scene = self._make_scene(sentiment)
        length = self.random.randint(2, 5)
        polar = 0 if sentiment == "neutral" else -(-2 * length // 3)
        templates = self.random.sample(TEMPLATES[style, sentiment], polar)
        kinds = [*templates, *[""] * (length - polar)]
        self.random.shuffle(kinds)
        sentences = [
            self._from_template(kind) if kind else self._write_neutral(style) for kind in kinds
        ]
        if style == "mail":
            if self.random.random() < 0.7:
                sentences.insert(0, self._from_template("{greeting}"))
            if self.random.random() < 0.4:
                sentences.append(self._from_template("Kind regards, [PER: {first1}]"))
        name = f"generated-{self.seed}-{index:05d}"
        return f"=== {name} | sentiment: {sentiment}\n" + "\n".join(sentences)

    def _make_scene(self, sentiment: str) -> _Scene:
        """Choose the people and organisations of a document."""
        sources = [FILLERS, SHARED_FILLERS]
        if sentiment != "neutral":
            sources.append(POSITIVE_FILLERS if sentiment == "positive" else NEGATIVE_FILLERS)
        fillers = {slot: _entries(text) for source in sources for slot, text in source.items()}
        female = self.random.random() < 0.5
        first = self.random.choice(FEMALE if female else MALE)
        other = self.random.choice(MALE if female else FEMALE)
        surname, second = self.random.sample(SURNAMES, 2)
        firms = [self._organisation(), self._organisation()]
        while firms[0] == firms[1]:
            firms[1] = self._organisation()
        bound = {
            "P1": f"[PER: {first} {surname}]",
            "P1s": f"[PER: {self.random.choice((first, surname))}]",
            "P2": f"[PER: {other} {second}]",
            "first1": first,
            "first2": other,
            "O1": firms[0],
            "O2": firms[1],
        }
        return _Scene(fillers, bound, "she" if female else "he")

    def _organisation(self) -> str:
        """Make the name of a company or an institution, with its article."""
        stem = self.random.choice(_entries(ORG_STEMS))
        kind = self.random.random()
        if kind < 0.15:
            return f"[ORG: {stem}]"
        if kind < 0.6:
            return f"[ORG: {stem} {self.random.choice(_entries(ORG_KINDS))}]"
        name = self.random.choice(_entries(INSTITUTIONS)).replace("{stem}", stem)
        name = name.replace("{city}", self.random.choice(_entries(PLACES)))
        article = "" if name.endswith((" University", " College", " Council")) else "the "
        return f"{article}[ORG: {name}]"

    def _write_neutral(self, style: str) -> str:
        """Write a sentence without sentiment, from a template or a clause pattern."""
        if self.random.random() < 0.3:
            return self._from_template(self.random.choice(TEMPLATES[style, "neutral"]))
        return self._from_template(self._fill_pattern(style))

    def _fill_pattern(self, style: str) -> str:
        """Choose a clause pattern and a verb that suits it, and put the verb in."""
        verb = self.random.choice(VERBS)
        groups = [(ANY_PATTERNS, 6.0), (NAMED_PATTERNS, 1.0)]
        object_slot = verb.object.partition(" ")[2]
        if "P1" in verb.subjects:
            groups.append((PERSON_PATTERNS, 1.0))
        if object_slot:
            groups.append((OBJECT_PATTERNS, 3.0))
        if object_slot and object_slot[1:] not in ("1", "2") and verb.role == "ARG0":
            groups.append((THING_PATTERNS, 1.5))
        if verb.roleset in RECIPIENTS:
            groups.append((RECIPIENT_PATTERNS, 2.0))
        patterns = self.random.choices(
            [group for group, _ in groups], [weight for _, weight in groups]
        )[0]
        pattern = self.random.choice(patterns)
        pronouns = style != "news" and patterns is ANY_PATTERNS
        return self._put_verb(pattern, verb, pronouns)

    def _put_verb(self, pattern: str, verb: Verb, pronouns: bool) -> str:
        """Replace the `$words` of a clause pattern by a verb and its arguments."""
        object_role, _, object_slot = verb.object.partition(" ")
        taken = {object_slot, *_SLOT.findall(pattern)}
        subject = self._choose_subject(verb, taken, pronouns)
        taken.add(subject.slot)
        thing = self._phrase(object_slot, taken) if object_slot else _Phrase("", "")
        rests = [rest for rest in verb.rest.split(";") if not taken & set(_SLOT.findall(rest))]
        receiver = self._phrase("who", taken)
        base, past, part, ing, third = verb.forms.split()
        words = {
            "sense": verb.roleset,
            "role": verb.role,
            "subject": subject.text,
            "base": base,
            "past": past,
            "part": part,
            "ing": ing,
            "present": subject.agree(third, base),
            "object": thing.text,
            "object_role": object_role,
            "object_mark": f"<a.{object_role} {thing.text}>" if object_slot else "",
            "rest": self._maybe(self.random.choice(rests)) if rests else "",
            "tpast": self._maybe("<a.ARGM-TMP {tpast}>"),
            "tfuture": self._maybe("<a.ARGM-TMP {tfuture}>"),
            "modal": self.random.choice(MODALS),
            "has": subject.agree("has", "have"),
            "was": subject.agree("was", "were"),
            "comes": subject.agree("comes", "come"),
            "works": subject.agree("works", "work"),
            "who": "which" if subject.slot in ("O1", "O2") else "who",
            "object_was": thing.agree("was", "were"),
            "object_is": thing.agree("is", "are"),
            "object_has": thing.agree("has", "have"),
            "receiver": receiver.text,
            "receiver_was": receiver.agree("was", "were"),
        }
        text = Template(pattern).substitute(words)
        if "{speaker}" in text:
            text = text.replace("{speaker}", self._phrase("speaker", taken).text)
        return text

    def _choose_subject(self, verb: Verb, taken: set[str], pronouns: bool) -> _Phrase:
        """Choose who or what does it, not someone who is already in the sentence."""
        slots = [slot for slot in verb.subjects.split() if slot not in taken] or ["role"]
        if pronouns and "role" in slots and self.random.random() < 0.5:
            return _PRONOUNS[self.random.choice(("I", "I", "we"))]
        slot = self.random.choice(slots)
        if slot == "P1" and self.scene.mentioned and pronouns and self.random.random() < 0.5:
            return _Phrase(self.scene.pronoun, "P1")
        return self._phrase(slot, taken)

    def _phrase(self, slot: str, taken: set[str]) -> _Phrase:
        """Fill a slot by a noun phrase that may stand as a subject."""
        if slot in self.scene.bound:
            return _Phrase(self._fill(slot), slot)
        people = taken | ({"he1"} if taken & {"P1", "I", "we"} else set())
        options = [
            option
            for option in self.scene.fillers[slot]
            if option not in ("me", "us|p") and not people & set(_SLOT.findall(option))
        ]
        option = self._pick(options)
        text, _, number = option.partition("|")
        return _Phrase(self._expand(text), slot, number == "p")

    def _maybe(self, text: str) -> str:
        return text if self.random.random() < 0.5 else ""

    def _pick(self, options: list[str]) -> str:
        """Choose one of the options, one that the document does not have yet if there is one."""
        fresh = [option for option in options if option not in self.scene.used]
        option = self.random.choice(fresh or options)
        self.scene.used.add(option)
        return option

    def _fill(self, slot: str) -> str:
        """Fill one slot."""
        if slot == "he1":
            return self.scene.pronoun if self.scene.mentioned else self._fill("P1")
        if slot in self.scene.bound:
            again = slot == "P1" and self.scene.mentioned and self.random.random() < 0.4
            self.scene.mentioned |= slot == "P1"
            return self.scene.bound["P1s" if again else slot]
        if slot == "person":
            first = self.random.choice(FEMALE + MALE)
            return f"[PER: {first} {self.random.choice(SURNAMES)}]"
        if slot == "place":
            return f"[LOC: {self._pick(_entries(PLACES))}]"
        if slot == "org":
            return self._organisation()
        return self._expand(self._pick(self.scene.fillers[slot]).partition("|")[0])

    def _expand(self, template: str) -> str:
        """Give the frames of a template names of their own, and fill its slots."""
        numbers: dict[str, str] = {}
        for letter in _LETTER.findall(template):
            if letter not in numbers:
                self.frames += 1
                numbers[letter] = f"{letter}{self.frames}"
        renamed = _LETTER.sub(lambda match: numbers[match.group(1)], template)
        return _SLOT.sub(lambda match: self._fill(match.group(1)), renamed)

    def _from_template(self, template: str) -> str:
        """Write a sentence of a template and its frames in the inline format."""
        marked = self._expand(template)
        marked = re.sub(r" +", " ", marked)
        marked = re.sub(r" (?=[>.,?!])", "", marked)
        return _write_sentence(_ARTICLE.sub(_choose_article, marked))


def _choose_article(match: re.Match[str]) -> str:
    """Choose "a" or "an" by the word that follows, behind any marks."""
    marks, word = match.groups()
    vowel = word[0].lower() in "aeiou" and not word.lower().startswith(("uni", "use", "eu", "one"))
    return f"{'an' if vowel or word.startswith('hour') else 'a'} {marks}{word}"


def _write_sentence(marked: str) -> str:
    """Turn a sentence with marks into a sentence line and its frame lines."""
    text = ""
    opened: list[tuple[str, int]] = []
    entities: list[tuple[str, int, int]] = []
    frames: dict[str, _Frame] = {}
    position = 0
    for match in _MARK.finditer(marked):
        text += marked[position : match.start()]
        position = match.end()
        if match.group(1) or match.group(2):
            opened.append((match.group(1) or match.group(2), len(text)))
            continue
        mark, start = opened.pop()
        if match.group() == "]":
            entities.append((mark, start, len(text)))
        elif ":" in mark:
            name, _, roleset = mark.partition(":")
            frames.setdefault(name, _Frame()).spans.append((f"V={roleset}", start, len(text)))
        else:
            for role in mark.split(","):
                name, _, label = role.partition(".")
                frames.setdefault(name, _Frame()).spans.append((label, start, len(text)))
    text += marked[position:]
    first = next(index for index, character in enumerate(text) if character.isalnum())
    text = text[:first] + text[first].upper() + text[first + 1 :]
    ordered = sorted(frames.values(), key=lambda frame: frame.predicate)
    lines = [_bracket(text, entities), *(f"> {_bracket(text, frame.spans)}" for frame in ordered)]
    return "\n".join(lines) + "\n"


def _bracket(text: str, spans: list[tuple[str, int, int]]) -> str:
    """Put brackets around stretches of a text."""
    line = ""
    written = 0
    for label, start, end in sorted(spans, key=lambda span: span[1]):
        line += f"{text[written:start]}[{label}: {text[start:end]}]"
        written = end
    return line + text[written:]


def generate_inline(documents: int, seed: int) -> str:
    """Write training documents in the inline format.

    documents (int): How many.
    seed (int): The same seed gives the same text.
    RETURNS (str): The file's text. Every document has entities, the frames of all its verbs, and a
        sentiment; styles and sentiments take turns.
    """
    generator = Generator(seed)
    return "\n".join(generator.write_document(index) for index in range(documents))


def main(
    output: Annotated[Path, typer.Argument(help="The file to write")],
    documents: Annotated[int, typer.Option(help="How many documents", min=1)] = 400,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers")] = 0,
) -> None:
    """Generate training text in the inline format."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(generate_inline(documents, seed), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
