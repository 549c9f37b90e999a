"""Statements as banks send them, written by hand for the tests: names, accounts and amounts are invented."""

from __future__ import annotations

ACCOUNT = "DE02120300000000202051"
ACME_IBAN = "DE02500105170137075030"
BAKER_IBAN = "FR7630006000011234567890189"

# camt.053 version 2, Latin-1: a payer who gives all references, one who gives none, a batch of three with its parts, a
# direct debit returned, a transfer of our own, and a fee.
CAMT_053_V02 = f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">
 <BkToCstmrStmt>
  <GrpHdr><MsgId>M-1</MsgId><CreDtTm>2024-02-28T20:00:00+01:00</CreDtTm></GrpHdr>
  <Stmt>
   <Id>STMT-2024-41</Id><ElctrncSeqNb>41</ElctrncSeqNb><CreDtTm>2024-02-28T20:00:00+01:00</CreDtTm>
   <Acct><Id><IBAN>{ACCOUNT}</IBAN></Id><Ccy>EUR</Ccy><Ownr><Nm>Dueward</Nm></Ownr></Acct>
   <Bal><Tp><CdOrPrtry><Cd>PRCD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
    <Dt><Dt>2024-02-27</Dt></Dt></Bal>
   <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1611.60</Amt><CdtDbtInd>CRDT</CdtDbtInd>
    <Dt><Dt>2024-02-28</Dt></Dt></Bal>
   <Ntry>
    <Amt Ccy="EUR">250.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2024-02-28</Dt></BookgDt><ValDt><Dt>2024-02-27</Dt></ValDt><AcctSvcrRef>B-1</AcctSvcrRef>
    <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
    <NtryDtls><TxDtls>
     <Refs><EndToEndId>R-77</EndToEndId></Refs>
     <RltdPties><Dbtr><Nm>Müller &amp; Söhne</Nm></Dbtr>
      <DbtrAcct><Id><IBAN>{ACME_IBAN}</IBAN></Id></DbtrAcct>
      <UltmtDbtr><Nm>Acme GmbH</Nm></UltmtDbtr></RltdPties>
     <RmtInf><Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18539007547034</Ref></CdtrRefInf>
      </Strd></RmtInf>
    </TxDtls></NtryDtls>
    <AddtlNtryInf>GUTSCHRIFT</AddtlNtryInf>
   </Ntry>
   <Ntry>
    <Amt Ccy="EUR">99.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2024-02-28</Dt></BookgDt>
    <BkTxCd><Prtry><Cd>166</Cd></Prtry></BkTxCd>
    <NtryDtls><TxDtls>
     <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
     <AmtDtls><InstdAmt><Amt Ccy="EUR">101.00</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">99.50</Amt></TxAmt></AmtDtls>
     <Chrgs><Amt Ccy="EUR">1.50</Amt></Chrgs>
     <RltdPties><Dbtr><Nm>Boulangerie Ltd</Nm></Dbtr></RltdPties>
     <RmtInf><Ustrd>Invoice A-1</Ustrd><Ustrd>thank you</Ustrd></RmtInf>
    </TxDtls></NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="EUR">600.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2024-02-28</Dt></BookgDt><ValDt><Dt>2024-02-28</Dt></ValDt><AcctSvcrRef>B-3</AcctSvcrRef>
    <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RDDT</Cd><SubFmlyCd>ESDD</SubFmlyCd></Fmly></Domn></BkTxCd>
    <NtryDtls><Btch><NbOfTxs>3</NbOfTxs></Btch>
     <TxDtls><Refs><EndToEndId>DD-1</EndToEndId><MndtId>M-A</MndtId></Refs>
      <AmtDtls><TxAmt><Amt Ccy="EUR">100.00</Amt></TxAmt></AmtDtls></TxDtls>
     <TxDtls><Refs><EndToEndId>DD-2</EndToEndId><MndtId>M-B</MndtId></Refs>
      <AmtDtls><TxAmt><Amt Ccy="EUR">200.00</Amt></TxAmt></AmtDtls></TxDtls>
     <TxDtls><Refs><EndToEndId>DD-3</EndToEndId><MndtId>M-C</MndtId></Refs>
      <AmtDtls><TxAmt><Amt Ccy="EUR">300.00</Amt></TxAmt></AmtDtls></TxDtls>
    </NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="EUR">200.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2024-02-28</Dt></BookgDt><AcctSvcrRef>B-4</AcctSvcrRef>
    <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>
    <NtryDtls><TxDtls><Refs><EndToEndId>DD-2</EndToEndId><MndtId>M-B</MndtId></Refs>
     <RltdPties><Dbtr><Nm>Baker SARL</Nm></Dbtr><DbtrAcct><Id><IBAN>{BAKER_IBAN}</IBAN></Id></DbtrAcct></RltdPties>
     <RtrInf><Rsn><Cd>AM04</Cd></Rsn></RtrInf></TxDtls></NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="EUR">130.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
    <BookgDt><Dt>2024-02-28</Dt></BookgDt><AcctSvcrRef>B-5</AcctSvcrRef>
    <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>
    <NtryDtls><TxDtls><RltdPties><Cdtr><Nm>Office Rent AG</Nm></Cdtr></RltdPties>
     <RmtInf><Ustrd>Rent February</Ustrd></RmtInf></TxDtls></NtryDtls>
   </Ntry>
   <Ntry>
    <Amt Ccy="EUR">7.90</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2024-02-28</Dt></BookgDt>
    <BkTxCd><Domn><Cd>ACMT</Cd><Fmly><Cd>MDOP</Cd><SubFmlyCd>CHRG</SubFmlyCd></Fmly></Domn></BkTxCd>
    <AddtlNtryInf>KONTOFÜHRUNG</AddtlNtryInf>
   </Ntry>
   <Ntry>
    <Amt Ccy="EUR">5000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2024-02-29</Dt></BookgDt>
   </Ntry>
  </Stmt>
 </BkToCstmrStmt>
</Document>
""".encode("latin-1")


def camt(*entries: str, kind: str = "053", version: str = "08", account: str = ACCOUNT, balances: str = "") -> bytes:
    """A camt of version 8 in UTF-8 around some entries."""
    container, part = {"053": ("BkToCstmrStmt", "Stmt"), "054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}[kind]
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.{version}"><{container}>
<GrpHdr><MsgId>M</MsgId><CreDtTm>2024-02-28T20:00:00Z</CreDtTm></GrpHdr>
<{part}><Id>S-1</Id><CreDtTm>2024-02-28T20:00:00Z</CreDtTm>
<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}
{"".join(entries)}
</{part}></{container}></Document>
""".encode()


def entry(
    amount: str,
    details: str = "",
    *,
    ref: str = "",
    side: str = "CRDT",
    on: str = "2024-02-28",
    reversal: bool = False,
    currency: str = "EUR",
) -> str:
    reversed_ = "<RvslInd>true</RvslInd>" if reversal else ""
    servicer = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    return f"""<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{reversed_}
<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt>{servicer}<NtryDtls>{details}</NtryDtls></Ntry>
"""


def detail(
    amount: str = "",
    *,
    text: str = "",
    rf: str = "",
    end_to_end: str = "NOTPROVIDED",
    name: str = "Acme GmbH",
    iban: str = ACME_IBAN,
    returned: str = "",
) -> str:
    money = f'<Amt Ccy="EUR">{amount}</Amt>' if amount else ""
    account = f"<DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct>" if iban else ""
    structured = f"<Strd><CdtrRefInf><Ref>{rf}</Ref></CdtrRefInf></Strd>" if rf else ""
    unstructured = f"<Ustrd>{text}</Ustrd>" if text else ""
    reason = f"<RtrInf><Rsn><Cd>{returned}</Cd></Rsn></RtrInf>" if returned else ""
    return f"""<TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>{money}
<RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr>{account}</RltdPties>
<RmtInf>{unstructured}{structured}</RmtInf>{reason}</TxDtls>
"""


# MT940 with the German field 86, one entry in words between slashes, one in plain text, and a credit taken back.
MT940 = f""":20:STARTUMS
:25:12030000/0000202051
:28C:00041/001
:60F:C240227EUR1000,00
:61:2402280228CR250,00N166NONREF//B-1
:86:166?00GUTSCHRIFT?109310?20EREF+R-77?21SVWZ+RF18 5390 0754 7034 M
?22iete Maerz?30SOLADES1XXX?31{ACME_IBAN}?32Müller + Söhne?33 GmbH
:61:2402280228C99,5NTRFNONREF//B-2
Boulangerie
:86:/EREF/E-2/NAME/Boulangerie Ltd/IBAN/{BAKER_IBAN}/REMI/USTD//Invoice
 A-1/
:61:2402290228RC200,00NRTI DD-2//B-4
:86:109?00RUECKLASTSCHRIFT?20EREF+DD-2?21MREF+M-B?22SVWZ+AM04?32Baker SARL
:61:2402280228D7,90NCHGNONREF
:86:805?00ENTGELT?20Kontofuehrung
:62F:C240228EUR1141,60
:64:C240228EUR1141,60
-
:20:STARTUMS
:25:12030000/0000202051
:28C:00042/001
:60F:C240228EUR1141,60
:62F:C240229EUR1141,60
-
"""

CSV_PROFILE = {
    "delimiter": ";",
    "date_format": "%d.%m.%Y",
    "decimal_mark": ",",
    "booked_on": "Buchungstag",
    "value_on": "Valutadatum",
    "amount": "Betrag",
    "currency": "Waehrung",
    "account": "Auftragskonto",
    "remittance": ["Verwendungszweck"],
    "party_name": "Beguenstigter/Zahlungspflichtiger",
    "party_iban": "Kontonummer/IBAN",
    "end_to_end_id": "Kundenreferenz (End-to-End)",
    "booking_text": "Buchungstext",
    "return_texts": ["RUECKLASTSCHRIFT"],
}

_ROWS = (
    "Auftragskonto;Buchungstag;Valutadatum;Buchungstext;Verwendungszweck;Kundenreferenz (End-to-End);"
    "Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;Betrag;Waehrung",
    f'{ACCOUNT};28.02.2024;28.02.2024;GUTSCHR. UEBERWEISUNG;"Rechnung A-1; ""danke""";NOTPROVIDED;Müller & Söhne;'
    f"{ACME_IBAN};1.250,00;EUR",
    f"{ACCOUNT};28.02.2024;28.02.2024;RUECKLASTSCHRIFT;Konto erloschen;DD-2;Baker SARL;{BAKER_IBAN};-200,00;EUR",
    f"{ACCOUNT};28.02.2024;28.02.2024;ENTGELT;Kontofuehrung;;;;-7,90;EUR",
)
CSV = "".join(f"{row}\n" for row in _ROWS)
