"""What a letter about a changed limit says, in English, German, French and Spanish."""

from __future__ import annotations

from services.credit.tongues.rules import Words

WORDS: Words = {
    "hello": ("Dear {name},", "Guten Tag {name},", "Bonjour {name},", "Hola, {name}:"),
    "regards": ("Kind regards", "Freundliche Grüße", "Cordialement", "Atentamente"),
    "subject": (
        "Your credit limit with {seller}",
        "Ihr Kreditlimit bei {seller}",
        "Votre limite de crédit chez {seller}",
        "Su límite de crédito con {seller}",
    ),
    "raised": (
        "We have raised the credit limit of {company}.",
        "wir haben das Kreditlimit für {company} erhöht.",
        "Nous avons relevé la limite de crédit de {company}.",
        "Hemos aumentado el límite de crédito de {company}.",
    ),
    "lowered": (
        "We have lowered the credit limit of {company}. Orders and invoices that are already open are not affected; new"
        " orders are held against the new limit.",
        "wir haben das Kreditlimit für {company} gesenkt. Offene Bestellungen und Rechnungen sind nicht betroffen; neue"
        " Bestellungen werden am neuen Limit gemessen.",
        "Nous avons réduit la limite de crédit de {company}. Les commandes et factures en cours ne sont pas"
        " concernées ; les nouvelles commandes sont soumises à la nouvelle limite.",
        "Hemos reducido el límite de crédito de {company}. Los pedidos y facturas pendientes no se ven afectados; los"
        " nuevos pedidos se rigen por el nuevo límite.",
    ),
    "ended": (
        "We can no longer supply {company} on account; new orders are to be paid in advance. Invoices that are already"
        " open are not affected.",
        "wir können {company} nicht mehr auf Rechnung beliefern; neue Bestellungen sind im Voraus zu bezahlen. Offene"
        " Rechnungen sind nicht betroffen.",
        "Nous ne pouvons plus livrer {company} à crédit ; les nouvelles commandes sont à payer d’avance. Les factures"
        " en cours ne sont pas concernées.",
        "Ya no podemos suministrar a {company} a crédito; los nuevos pedidos se pagan por adelantado. Las facturas"
        " pendientes no se ven afectadas.",
    ),
    "new_limit": ("New limit", "Neues Limit", "Nouvelle limite", "Nuevo límite"),
    "old_limit": ("Limit before", "Bisheriges Limit", "Limite précédente", "Límite anterior"),
    "from": ("Holds from", "Gilt ab", "Valable à partir du", "Vigente desde"),
    "reason": ("Reason", "Grund", "Motif", "Motivo"),
    "policy": (
        "Our limits for customers of your kind have changed.",
        "Unsere Limits für Kunden Ihrer Art haben sich geändert.",
        "Nos limites pour les clients de votre catégorie ont changé.",
        "Nuestros límites para clientes de su categoría han cambiado.",
    ),
    "manual": (
        "A person has looked at your account and decided so.",
        "Eine Person hat Ihr Kundenkonto geprüft und so entschieden.",
        "Une personne a examiné votre compte et en a décidé ainsi.",
        "Una persona ha revisado su cuenta y lo ha decidido así.",
    ),
    "recommended": (
        "We have assessed again what we know of your company and how our invoices were paid.",
        "Wir haben neu bewertet, was wir über Ihr Unternehmen wissen und wie unsere Rechnungen bezahlt wurden.",
        "Nous avons réévalué ce que nous savons de votre entreprise et du règlement de nos factures.",
        "Hemos valorado de nuevo lo que sabemos de su empresa y cómo se han pagado nuestras facturas.",
    ),
    "addition_begins": (
        "A raise or a security that was agreed counts from now on.",
        "Eine vereinbarte Erhöhung oder Sicherheit zählt von nun an.",
        "Une augmentation ou une garantie convenue compte désormais.",
        "Un aumento o una garantía acordados cuentan desde ahora.",
    ),
    "addition_ends": (
        "A raise or a security that was agreed has ended.",
        "Eine vereinbarte Erhöhung oder Sicherheit ist beendet.",
        "Une augmentation ou une garantie convenue a pris fin.",
        "Un aumento o una garantía acordados han terminado.",
    ),
    "contact": (
        "Questions? Please ask",
        "Fragen? Bitte wenden Sie sich an",
        "Des questions ? Adressez-vous à",
        "¿Preguntas? Diríjase a",
    ),
}
