"""Puts folders that lie beside the package in a checkout inside it in the wheel (mapservice/paths.py)."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BESIDE = ("templates", "migrations", "boundaries")


class BuildWithFolders(build_py):
    def run(self) -> None:
        super().run()
        # An editable install reads the checkout itself.
        if self.editable_mode:
            return
        if not Path("mapservice/static/vendor/leaflet").is_dir():
            raise SystemExit("mapservice/static/vendor is empty: run scripts/serve or scripts/test once")
        for name in BESIDE:
            if Path(name).is_dir():
                self.copy_tree(name, str(Path(self.build_lib) / "mapservice" / name))


setup(cmdclass={"build_py": BuildWithFolders})
