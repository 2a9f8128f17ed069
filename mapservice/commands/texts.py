"""`mapservice check-texts`: which texts of the operator are missing or wrong."""

from __future__ import annotations

import sys

import click

from mapservice.commands.base import refusals


@click.command("check-texts")
def check_texts() -> None:
    """Prüft die Texte des Betreibers: was fehlt, und was in welcher Zeile nicht stimmt.

    Rückgabe 1, wenn etwas fehlt oder nicht gezeigt werden kann.

    \b
    Beispiel:
      MAPSERVICE_TEXTS_DIR=texte mapservice check-texts
    """
    from mapservice.config import Settings
    from mapservice.texts import EXPECTED, SETTING, Texts

    with refusals():
        settings = Settings.from_environment()
    texts = Texts(settings.texts_dir)
    missing, findings = texts.missing(), list(texts.findings())
    if settings.texts_dir is None:
        click.echo(f"Die Einstellung {SETTING} nennt keinen Ordner.")
    elif not settings.texts_dir.is_dir():
        click.echo(f"Den Ordner {settings.texts_dir} ({SETTING}) gibt es nicht.")
    for item in EXPECTED:
        there = settings.texts_dir is not None and (settings.texts_dir / item.name).is_file()
        click.echo(f"{'da' if there else 'fehlt':<6} {item.name:<22} {item.help}")
    click.echo(f"Meldungen in aktuelles: {len(texts.news())}")
    for finding in findings:
        click.echo(f"{'Fehler' if finding.fatal else 'Hinweis'}: {finding}")
    if not settings.contact_mail:
        click.echo("fehlt  MAPSERVICE_CONTACT_MAIL: Adresse für Fragen und gemeldete Barrieren")
    sys.exit(1 if missing or any(finding.fatal for finding in findings) else 0)
