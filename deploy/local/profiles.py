"""Who the customers of a ledger are: a ledger names only a reference, onboarding wants a name and a mailbox.

The generator's references say the country (`DE-0042-HBR`); name, town, people and segment follow from the reference
alone, so the same ledger always meets the same customers. A reference of any other make, as in a published ledger,
gets a plain English profile in UTC: nothing about it may move a date, so its figures stay comparable.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from random import Random

GENERATED = re.compile(r"([A-Z]{2})-(\d{4})-([A-Z]{3})", re.ASCII)

SEGMENTS = {"small": 50, "mid": 35, "key": 15}
"""Segment -> how many of a hundred generated customers are in it."""

SELLER = {
    "name": "Northwind Trading",
    "seller": {
        "legal_name": "Northwind Trading B.V.",
        "address": {"lines": ["Wilhelminakade 85"], "postal_code": "3072 AP", "city": "Rotterdam", "country": "NL"},
        "registration": "KVK 12345678",
        "contact_name": "Ida Falk",
        "email": "billing@northwind.example",
        "phone": "+31 10 1234567",
        "bank_accounts": [{"iban": "NL91ABNA0417164300"}],
    },
}
"""In whose name a demo sells: without an address its invoices would not be electronic ones, and without an account
nobody could pay them. It has no VAT id: a ledger's amounts are outside the scope of tax, and such an invoice bears
none."""


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """What onboarding wants to know; `segment` is None where only the ledger can tell."""

    name: str
    country: str
    language: str
    time_zone: str
    contact_name: str
    email: str
    street: str
    postal_code: str
    city: str
    net_days: int
    segment: str | None


@dataclass(frozen=True, slots=True)
class Country:
    """Where generated customers live. A name is one of 12 stems and one of 11 trades; the two counts have no common
    divisor, so the first 132 numbers have different names."""

    share: int
    currency: str
    language: str
    time_zone: str
    net_days: tuple[int, ...]
    form: str
    stems: tuple[str, ...]
    trades: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    mailbox: str


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


COUNTRIES: dict[str, Country] = {
    "DE": Country(
        share=30,
        currency="EUR",
        language="de",
        time_zone="Europe/Berlin",
        net_days=(14, 30, 30, 30, 14),
        form="{} {} GmbH",
        stems=_words(
            "Nordlicht, Hansa, Isartal, Rheinblick, Havelland, Alster, Schwarzwald, Spree, Weser, Taunus, Elbtal, Eifel"
        ),
        trades=_words(
            "Möbelwerke, Maschinenbau, Feinkost, Logistik, Druck, Textil, Werkzeuge, Bau, Optik, Papier, Elektro"
        ),
        given=_words("Katrin, Jonas, Mira, Stefan, Lena, Thomas, Anja, Emre, Sabine, Felix"),
        family=_words("Albers, Brandt, Yıldız, Krüger, Vogt, Seidel, Lorenz, Hoffmann, Pohl, Reuter, Ziegler"),
        streets=_words("Industriestraße, Hafenstraße, Am Güterbahnhof, Lindenallee, Gewerbering"),
        cities=_words("20457/Hamburg, 80331/München, 50667/Köln, 10115/Berlin, 70173/Stuttgart, 04109/Leipzig"),
        mailbox="rechnungen",
    ),
    "FR": Country(
        share=14,
        currency="EUR",
        language="fr",
        time_zone="Europe/Paris",
        net_days=(30, 30, 30, 45),
        form="{} {} SAS",
        stems=_words(
            "Garonne, Lumière, Armor, Provence, Béarn, Loire, Vosges, Camargue, Mistral, Picardie, Savoie, Cévennes"
        ),
        trades=_words(
            "Distribution, Mécanique, Boissons, Emballages, Textiles, Conseil, Traiteur, Outillage, "
            "Imprimerie, Menuiserie, Transports"
        ),
        given=_words("Camille, Julien, Amélie, Mehdi, Claire, Antoine, Sophie, Nadia"),
        family=_words("Lefèvre, Moreau, Girard, Benali, Rousseau, Chevalier, Garnier"),
        streets=_words("rue de la République, avenue des Tilleuls, quai du Commerce, boulevard Voltaire"),
        cities=_words("33000/Bordeaux, 69002/Lyon, 75011/Paris, 44000/Nantes, 59800/Lille"),
        mailbox="comptabilite",
    ),
    "GB": Country(
        share=15,
        currency="GBP",
        language="en",
        time_zone="Europe/London",
        net_days=(30, 30, 30, 45),
        form="{} {} Ltd",
        stems=_words(
            "Pennine, Harbour, Thistle, Cotswold, Mersey, Fenland, Severn, Kestrel, Albion, Lothian, Wessex, Chiltern"
        ),
        trades=_words(
            "Engineering, Foods, Joinery, Freight, Print, Catering Supplies, Textiles, Instruments, "
            "Roofing, Packaging, Interiors"
        ),
        given=_words("Gemma, Oliver, Priya, Callum, Fiona, Darren, Aisha, Harriet"),
        family=_words("Hughes, Patel, Fraser, Whitfield, Okafor, Barnes, Doyle"),
        streets=_words("Canal Street, Foundry Lane, Station Road, Wharf Way"),
        cities=_words("M1 5AN/Manchester, EC1V 2NX/London, BS1 4DJ/Bristol, LS1 4AP/Leeds, G2 1BT/Glasgow"),
        mailbox="accounts",
    ),
    "US": Country(
        share=14,
        currency="USD",
        language="en",
        time_zone="America/New_York",
        net_days=(30, 30, 30, 45),
        form="{} {} Inc.",
        stems=_words(
            "Allegheny, Bayside, Keystone, Hudson, Piedmont, Granite, Liberty, Chesapeake, Juniper, "
            "Lakeshore, Summit, Red Oak"
        ),
        trades=_words(
            "Supply, Manufacturing, Packaging, Hardware, Foods, Systems, Medical, Plastics, Printing, Tooling, Freight"
        ),
        given=_words("Ashley, Marcus, Dana, Luis, Karen, Trevor, Monique, Ethan"),
        family=_words("Reyes, Coleman, Nguyen, Whitaker, Sullivan, Brooks, Delgado"),
        streets=_words("Market Street, Industrial Parkway, Maple Avenue, Commerce Drive"),
        cities=_words("PA 15222/Pittsburgh, MA 02110/Boston, NJ 07102/Newark, GA 30303/Atlanta, MD 21202/Baltimore"),
        mailbox="ap",
    ),
    "NL": Country(
        share=8,
        currency="EUR",
        language="nl",
        time_zone="Europe/Amsterdam",
        net_days=(14, 30, 30),
        form="{} {} B.V.",
        stems=_words(
            "Waterland, Zuiderzee, Veluwe, Maasstad, Polder, Kanaal, Duinzicht, Merwede, Gooi, "
            "Noordzee, Achterhoek, Schelde"
        ),
        trades=_words(
            "Techniek, Bloemen, Transport, Verpakking, Groothandel, Interieur, Drukwerk, Zuivel, "
            "Metaal, Bouw, Installaties"
        ),
        given=_words("Sanne, Daan, Femke, Ruben, Marieke, Bas, Noor"),
        family=_words("de Vries, Jansen, Bakker, Visser, Smit, Mulder"),
        streets=_words("Havenweg, Nijverheidsstraat, Stationsplein, Keizersgracht"),
        cities=_words("1012 AB/Amsterdam, 3011 AA/Rotterdam, 3511 AX/Utrecht, 5611 EM/Eindhoven"),
        mailbox="facturen",
    ),
    "IT": Country(
        share=7,
        currency="EUR",
        language="it",
        time_zone="Europe/Rome",
        net_days=(30, 45, 60),
        form="{} {} S.r.l.",
        stems=_words("Adige, Brianza, Laguna, Etna, Maremma, Arno, Dolomiti, Tirreno, Langhe, Salento, Garda, Vesuvio"),
        trades=_words(
            "Ceramiche, Arredi, Alimentari, Meccanica, Tessuti, Vetro, Stampa, Imballaggi, Trasporti, Utensili, Marmi"
        ),
        given=_words("Giulia, Marco, Elena, Davide, Chiara, Paolo, Serena"),
        family=_words("Conti, Ferrari, Galli, Moretti, Rinaldi, Testa"),
        streets=_words("Via Garibaldi, Via dell'Industria, Corso Italia, Via Roma"),
        cities=_words("20121/Milano, 40121/Bologna, 10121/Torino, 35121/Padova"),
        mailbox="amministrazione",
    ),
    "CH": Country(
        share=6,
        currency="CHF",
        language="de",
        time_zone="Europe/Zurich",
        net_days=(30, 30, 30, 10),
        form="{} {} AG",
        stems=_words("Säntis, Limmat, Aare, Gotthard, Jura, Rigi, Pilatus, Engadin, Thur, Bernina, Napf, Calanda"),
        trades=_words(
            "Präzision, Käserei, Pharma, Uhrenteile, Apparatebau, Holzbau, Verpackung, Druck, "
            "Elektro, Transport, Feinmechanik"
        ),
        given=_words("Reto, Ursina, Beat, Simone, Luca, Regula"),
        family=_words("Ammann, Keller, Bernasconi, Gerber, Zbinden"),
        streets=_words("Bahnhofstrasse, Werkstrasse, Seestrasse"),
        cities=_words("8005/Zürich, 3011/Bern, 9000/St. Gallen, 4051/Basel"),
        mailbox="kreditoren",
    ),
    "JP": Country(
        share=4,
        currency="JPY",
        language="ja",
        time_zone="Asia/Tokyo",
        net_days=(30, 60),
        form="{} {} K.K.",
        stems=_words("Sakura, Tokai, Hokuto, Minato, Aoba, Kita, Yamato, Asahi, Fuji, Miyabi, Setouchi, Kaede"),
        trades=_words("Denki, Seiko, Shoji, Kogyo, Shokuhin, Insatsu, Kensetsu, Kikai, Unyu, Seni, Boeki"),
        given=_words("Haruka, Kenji, Yui, Takumi, Naoko"),
        family=_words("Sato, Tanaka, Mori, Ishikawa, Ueda"),
        streets=_words("Chuo, Sakae, Honmachi"),
        cities=_words("104-0061/Tokyo, 541-0053/Osaka, 460-0008/Nagoya"),
        mailbox="keiri",
    ),
    "KW": Country(
        share=2,
        currency="KWD",
        language="en",
        time_zone="Asia/Kuwait",
        net_days=(45, 60),
        form="{} {} W.L.L.",
        stems=_words(
            "Al Bahar, Gulf Gate, Salmiya, Failaka, Al Noor, Burgan, Sahara, Marina, Al Waha, Dasman, Jahra, Al Safat"
        ),
        trades=_words(
            "Trading, Contracting, Marine Services, Foods, Electric, Printing, Medical, Logistics, "
            "Furnishing, Steel, Catering"
        ),
        given=_words("Fatima, Yousef, Maryam, Khalid"),
        family=_words("Al-Sabti, Al-Rashed, Haddad, Mathew"),
        streets=_words("Fahad Al-Salem Street, Gulf Road"),
        cities=_words("13001/Kuwait City, 22001/Salmiya"),
        mailbox="accounts",
    ),
}

_COUNTRY_OF_CURRENCY = {"USD": "US", "GBP": "GB", "EUR": "IE", "CHF": "CH", "JPY": "JP", "CAD": "CA", "AUD": "AU"}


def profile(customer_ref: str, currency: str) -> CustomerProfile:
    """The customer behind a reference; the same answer every time, and mailboxes that no one has."""
    generated = GENERATED.fullmatch(customer_ref)
    country = COUNTRIES.get(generated[1]) if generated else None
    if generated is None or country is None:
        return _plain(customer_ref, currency)
    chance, number = Random(customer_ref), int(generated[2])
    stem = country.stems[number % len(country.stems)]
    trade = country.trades[number % len(country.trades)]
    given, family = chance.choice(country.given), chance.choice(country.family)
    postal_code, city = chance.choice(country.cities).split("/")
    return CustomerProfile(
        name=country.form.format(stem, trade),
        country=generated[1],
        language=country.language,
        time_zone=country.time_zone,
        contact_name=f"{given} {family}",
        email=f"{country.mailbox}@{_slug(stem)}-{_slug(trade)}-{number}.example",
        street=f"{chance.choice(country.streets)} {chance.randint(1, 140)}",
        postal_code=postal_code,
        city=city,
        net_days=chance.choice(country.net_days),
        segment=chance.choices(list(SEGMENTS), list(SEGMENTS.values()))[0],
    )


def _plain(customer_ref: str, currency: str) -> CustomerProfile:
    return CustomerProfile(
        name=f"Customer {customer_ref}",
        country=_COUNTRY_OF_CURRENCY.get(currency, "US"),
        language="en",
        time_zone="UTC",
        contact_name="Accounts Payable",
        email=f"accounts@{_slug(customer_ref) or 'customer'}.example",
        street="1 Ledger Street",
        postal_code="00000",
        city="Ledger",
        net_days=30,
        segment=None,
    )


def _slug(text: str) -> str:
    """ASCII letters, digits and dashes of a text, as a host name has them."""
    spelled = text.lower().translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
