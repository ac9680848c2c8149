"""The steps and sentences of hosted Colab that several of its guides have: each stands here once."""

from __future__ import annotations

from colab_magics.guides.interface import MenuStep, Sentence, sentences
from colab_magics.translation import N_

CHANGE_RUNTIME_TYPE = MenuStep(("runtime_menu", "change_runtime_type"))
MANAGE_SESSIONS = MenuStep(("runtime_menu", "manage_sessions"))
DISCONNECT = MenuStep(("runtime_menu", "disconnect_and_delete"))
HIGH_RAM = MenuStep(("high_ram",))
RUNTIME_VERSION = MenuStep(("runtime_version",))
SAVE = MenuStep(("save",))
VIEW_RESOURCES = ("runtime_menu", "view_resources")
NEW_MACHINE = sentences(
    N_("This gives you a new machine: variables and files in /content are lost."),
    N_("Then run again from your first cell (%pip install, %load_ext)."),
)
MACHINE_GOES = Sentence(N_("When the machine goes, variables and files in /content go with it."))
WITH_HIGH_RAM = Sentence("{said:statement}", (("said", "high_ram_plans"),))
KEEP_RUNNING = Sentence(N_("keep the tab open and a cell running"))
PRO_RUNS_LONGER = Sentence(N_("Colab Pro and Pro+ have longer runtimes, as available"))
PRO_PLUS_RUNS_ON = Sentence(N_("Pro+ also runs on with the tab closed, up to 24 h while there are compute units"))
SEND_FEEDBACK = Sentence(N_("Help > Send feedback"))
WRITE_OF_BILLS = Sentence(N_("for billing, write to colab-billing@google.com"))
END_SESSIONS = Sentence(N_("end what you do not need, and use a GPU only while you need it"))
CLOSE_THE_TAB = Sentence(N_("close Colab's tab when you are done"))
PRO_PLUS_HAS_MORE = Sentence(N_("or, if you are at a limit of Pro, take Pro+"))
BUY_UNITS = Sentence(N_("or buy compute units as you go: no subscription is needed"))
SAVE_TO_DRIVE = Sentence(N_("save what matters to Drive or download it"))
TO_TELL_GOOGLE = Sentence(N_("To tell Google"))
