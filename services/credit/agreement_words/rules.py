"""What the agreed terms and the mails about them say, in English, German, French and Spanish."""

from __future__ import annotations

from services.credit.tongues.rules import Words

WORDS: Words = {
    "title": ("Agreed terms", "Vereinbarte Konditionen", "Conditions convenues", "Condiciones acordadas"),
    "date": ("Date", "Datum", "Date", "Fecha"),
    "customer_number": ("Customer no.", "Kundennummer", "N° client", "N.º de cliente"),
    "version": ("Version", "Fassung", "Version", "Versión"),
    "page": (
        "Page {page} of {pages}",
        "Seite {page} von {pages}",
        "Page {page} sur {pages}",
        "Página {page} de {pages}",
    ),
    "opening": (
        "We are glad to supply you on the terms below. They hold from the day on which you accept them.",
        "Gern beliefern wir Sie zu den folgenden Konditionen. Sie gelten von dem Tag an, an dem Sie sie annehmen.",
        "Nous sommes heureux de vous fournir aux conditions ci-dessous. Elles valent à compter du jour où vous les "
        "acceptez.",
        "Con gusto le suministraremos en las condiciones siguientes. Rigen desde el día en que las acepte.",
    ),
    "limit": ("Credit limit", "Kreditlimit", "Limite de crédit", "Límite de crédito"),
    "limit_says": (
        "What may be open in all, invoices and orders together.",
        "So viel darf insgesamt offen sein, Rechnungen und Bestellungen zusammen.",
        "Ce qui peut être dû au total, factures et commandes ensemble.",
        "Lo que puede estar pendiente en total, facturas y pedidos juntos.",
    ),
    "no_limit": ("Prepayment only", "Nur Vorkasse", "Paiement d’avance uniquement", "Solo pago anticipado"),
    "net_days": ("Payment term", "Zahlungsziel", "Délai de paiement", "Plazo de pago"),
    "net_days_value": ("{days} days", "{days} Tage", "{days} jours", "{days} días"),
    "net_days_one": ("1 day", "1 Tag", "1 jour", "1 día"),
    "at_once": ("at once", "sofort", "à réception", "al contado"),
    "net_days_says": (
        "From the date of the invoice.",
        "Ab dem Rechnungsdatum.",
        "À compter de la date de facture.",
        "Desde la fecha de la factura.",
    ),
    "prepaid": ("Prepayment", "Anzahlung", "Acompte", "Anticipo"),
    "prepaid_says": (
        "Of each order, before we deliver.",
        "Von jeder Bestellung, bevor wir liefern.",
        "De chaque commande, avant la livraison.",
        "De cada pedido, antes de la entrega.",
    ),
    "deposit": ("Deposit", "Kaution", "Dépôt de garantie", "Fianza"),
    "deposit_says": (
        "Before the first order; returned when the account is closed and nothing is open.",
        "Vor der ersten Bestellung; zurückgezahlt, wenn das Konto geschlossen wird und nichts offen ist.",
        "Avant la première commande ; rendu à la clôture du compte, une fois tout réglé.",
        "Antes del primer pedido; se devuelve al cerrar la cuenta si no queda nada pendiente.",
    ),
    "discount": ("Early payment", "Skonto", "Escompte", "Pronto pago"),
    "discount_value": (
        "{percent} within {days} days",
        "{percent} bei Zahlung in {days} Tagen",
        "{percent} sous {days} jours",
        "{percent} en {days} días",
    ),
    "discount_says": (
        "Off the invoice total, where all of the rest is paid in that time.",
        "Vom Rechnungsbetrag, wenn der ganze Rest in dieser Zeit gezahlt wird.",
        "Sur le total de la facture, si tout le reste est réglé dans ce délai.",
        "Del total de la factura, si el resto se paga en ese plazo.",
    ),
    "late_interest": ("Late payment", "Zahlungsverzug", "Retard de paiement", "Mora"),
    "late_interest_value": ("{percent} a year", "{percent} im Jahr", "{percent} par an", "{percent} anual"),
    "late_interest_says": (
        "On what is overdue, from the day after the due date.",
        "Auf das Überfällige, ab dem Tag nach der Fälligkeit.",
        "Sur les sommes échues, à compter du lendemain de l’échéance.",
        "Sobre lo vencido, desde el día siguiente al vencimiento.",
    ),
    "by_law": ("as the law provides", "nach dem Gesetz", "selon la loi", "según la ley"),
    "by_law_says": (
        "Interest and the cost of recovery.",
        "Zinsen und die Kosten der Beitreibung.",
        "Intérêts et frais de recouvrement.",
        "Intereses y costes de cobro.",
    ),
    "late_fee": ("Cost of recovery", "Beitreibungskosten", "Frais de recouvrement", "Costes de cobro"),
    "late_fee_says": (
        "For each invoice that is paid late.",
        "Für jede Rechnung, die zu spät gezahlt wird.",
        "Pour chaque facture réglée en retard.",
        "Por cada factura pagada con retraso.",
    ),
    "delivery": ("Your invoices", "Ihre Rechnungen", "Vos factures", "Sus facturas"),
    "channel_email": ("by mail to {whom}", "per E-Mail an {whom}", "par e-mail à {whom}", "por correo a {whom}"),
    "channel_letter": ("by post", "per Post", "par courrier", "por correo postal"),
    "channel_portal": ("in your portal", "in Ihrem Portal", "sur votre portail", "en su portal"),
    "as_format": (
        "As an electronic invoice ({format}).",
        "Als E-Rechnung ({format}).",
        "Sous forme électronique ({format}).",
        "Como factura electrónica ({format}).",
    ),
    "with_order": (
        "With your order number on it.",
        "Mit Ihrer Bestellnummer.",
        "Avec votre numéro de commande.",
        "Con su número de pedido.",
    ),
    "pay": ("How to pay", "So zahlen Sie", "Comment payer", "Cómo pagar"),
    "pay_by_transfer": (
        "By transfer to {account}",
        "Per Überweisung auf {account}",
        "Par virement sur {account}",
        "Por transferencia a {account}",
    ),
    "pay_as_printed": (
        "As each invoice says",
        "Wie auf jeder Rechnung angegeben",
        "Comme indiqué sur chaque facture",
        "Como indica cada factura",
    ),
    "pay_says": (
        "Please state the invoice number. Each invoice also has a link to pay online.",
        "Bitte geben Sie die Rechnungsnummer an. Jede Rechnung enthält auch einen Link zur Online-Zahlung.",
        "Merci d’indiquer le numéro de facture. Chaque facture contient aussi un lien de paiement en ligne.",
        "Indique el número de factura. Cada factura lleva además un enlace para pagar en línea.",
    ),
    "dispute": (
        "If something is wrong",
        "Wenn etwas nicht stimmt",
        "Si quelque chose ne va pas",
        "Si algo no es correcto",
    ),
    "dispute_value": (
        "Tell us on the page that each invoice links to",
        "Sagen Sie es uns auf der Seite, zu der jede Rechnung führt",
        "Dites-le nous sur la page indiquée sur chaque facture",
        "Díganoslo en la página a la que lleva cada factura",
    ),
    "dispute_says": (
        "What you dispute is not chased while we look into it.",
        "Was Sie beanstanden, mahnen wir nicht, solange wir es prüfen.",
        "Ce que vous contestez n’est pas relancé pendant l’examen.",
        "Lo que reclame no se persigue mientras lo revisamos.",
    ),
    "contact": ("Whom to call", "Ihr Kontakt", "Votre contact", "Su contacto"),
    "accept_title": ("Acceptance", "Annahme", "Acceptation", "Aceptación"),
    "accept_says": (
        "Accept these terms with the link in our mail, or send us this page signed.",
        "Nehmen Sie diese Konditionen über den Link in unserer E-Mail an, oder senden Sie uns diese Seite "
        "unterschrieben zurück.",
        "Acceptez ces conditions avec le lien de notre e-mail, ou renvoyez-nous cette page signée.",
        "Acepte estas condiciones con el enlace de nuestro correo, o envíenos esta página firmada.",
    ),
    "sign_name": ("Name", "Name", "Nom", "Nombre"),
    "sign_day": ("Place, date", "Ort, Datum", "Lieu, date", "Lugar, fecha"),
    "sign_here": ("Signature", "Unterschrift", "Signature", "Firma"),
    "hello": ("Dear {name},", "Guten Tag {name},", "Bonjour {name},", "Hola, {name}:"),
    "regards": ("Kind regards", "Freundliche Grüße", "Cordialement", "Atentamente"),
    "invitation_subject": (
        "Your application with {seller}",
        "Ihr Kundenantrag bei {seller}",
        "Votre demande d’ouverture de compte chez {seller}",
        "Su solicitud de cuenta con {seller}",
    ),
    "invitation_text": (
        "To open an account for {company} we need a few details. Please fill them in on this page; you can stop and go "
        "on at any time until {day}.",
        "um ein Konto für {company} zu eröffnen, brauchen wir einige Angaben. Bitte tragen Sie sie auf dieser Seite "
        "ein; bis zum {day} können Sie jederzeit unterbrechen und weitermachen.",
        "Pour ouvrir un compte pour {company}, il nous faut quelques renseignements. Merci de les saisir sur cette "
        "page ; vous pouvez vous interrompre et reprendre à tout moment jusqu’au {day}.",
        "Para abrir una cuenta para {company} necesitamos algunos datos. Complételos en esta página; puede parar y "
        "continuar cuando quiera hasta el {day}.",
    ),
    "invitation_button": (
        "Fill in the application",
        "Antrag ausfüllen",
        "Remplir la demande",
        "Completar la solicitud",
    ),
    "terms_subject": (
        "Terms for your account with {seller}",
        "Konditionen für Ihr Konto bei {seller}",
        "Conditions de votre compte chez {seller}",
        "Condiciones de su cuenta con {seller}",
    ),
    "terms_text": (
        "Your application is approved. Enclosed are the terms on which we supply {company}. Please read them and "
        "accept them on this page by {day}.",
        "Ihr Antrag ist genehmigt. Anbei die Konditionen, zu denen wir {company} beliefern. Bitte lesen Sie sie und "
        "nehmen Sie sie bis zum {day} auf dieser Seite an.",
        "Votre demande est approuvée. Vous trouverez ci-joint les conditions auxquelles nous fournissons {company}. "
        "Merci de les lire et de les accepter sur cette page d’ici le {day}.",
        "Su solicitud está aprobada. Adjuntamos las condiciones en que suministramos a {company}. Léalas y acéptelas "
        "en esta página antes del {day}.",
    ),
    "terms_button": (
        "Read and accept the terms",
        "Konditionen lesen und annehmen",
        "Lire et accepter les conditions",
        "Leer y aceptar las condiciones",
    ),
    "welcome_subject": (
        "Welcome to {seller}",
        "Willkommen bei {seller}",
        "Bienvenue chez {seller}",
        "Le damos la bienvenida a {seller}",
    ),
    "welcome_text": (
        "{company} is our customer now, with the number {number}. Thank you! Here is what holds between us, for you to "
        "keep; the accepted terms are enclosed.",
        "{company} ist jetzt unser Kunde, mit der Nummer {number}. Vielen Dank! Hier steht, was zwischen uns gilt; die "
        "angenommenen Konditionen liegen bei.",
        "{company} est désormais notre client, sous le numéro {number}. Merci ! Voici ce qui vaut entre nous ; les "
        "conditions acceptées sont jointes.",
        "{company} ya es cliente nuestro, con el número {number}. ¡Gracias! Esto es lo que rige entre nosotros; "
        "adjuntamos las condiciones aceptadas.",
    ),
}
