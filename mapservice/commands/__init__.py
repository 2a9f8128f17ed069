"""Commands. Importing this package makes click, which speaks by gettext but brings no German, speak it."""

from __future__ import annotations

import gettext
import os

from mapservice.paths import TRANSLATIONS

# The commands are German whatever the environment says; without compiled catalogue click stays English.
os.environ["LANGUAGE"] = "de"
gettext.bindtextdomain("click", str(TRANSLATIONS))
gettext.textdomain("click")
