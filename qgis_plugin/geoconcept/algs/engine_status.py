# SPDX-License-Identifier: GPL-2.0-or-later
"""What the plugin has to work with: versions, speed, engine, cache, log."""

from qgis.core import QgsApplication, QgsProcessingOutputString

from .. import service
from ..core.errors import Cancelled
from ..engine import EngineError
from ..engine.client import Engine
from ..engine.finder import candidates, clip_weights, find
from ..gui.diagnostics import diagnostics
from ..io.html import Report
from .insight import InsightAlgorithm

__all__ = ["EngineStatus"]


class EngineStatus(InsightAlgorithm):
    """`geoconcept:enginestatus`."""

    NAME = "enginestatus"
    TITLE = "Engine status"
    GROUP = "Photos"
    TAGS = ("diagnostics", "version", "CLIP", "speed", "bug report")
    HELP = (
        "Says what the plugin has to work with: its version, the model's checksum, how fast this machine computes, "
        "whether the engine that reads photos is there and what it lacks, what is kept, where the log is.\n\n"
        "Copy the text into a report of a problem. It names folders of this machine: look through it first."
    )

    def build(self):
        """A report, and the same as text."""
        self.add_report()
        self.addOutput(QgsProcessingOutputString("TEXT", self.tr("Status")))

    def work(self, parameters, context, feedback):
        """Look at everything; the engine is started and ended again."""
        path = self.report_path(parameters, context)
        feedback.setProgress(10)
        engine = self.engine(feedback)
        feedback.setProgress(70)
        facts = [line.partition(": ")[::2] for line in diagnostics(engine[0][1]).splitlines()]
        facts += engine[1:]
        facts += [
            (self.tr("cache folder"), str(service.cache_folder())),
            (self.tr("own concepts"), str(service.own_folder())),
            (self.tr("log"), self.tr("panel Log Messages, tab GeoConcept")),
            (self.tr("profile"), QgsApplication.qgisSettingsDirPath()),
        ]
        if feedback.isCanceled():
            raise Cancelled
        text = "\n".join(f"{name}: {value}" for name, value in facts)
        feedback.pushInfo(text)
        results = {"TEXT": text}
        if path:
            page = Report(self.tr("GeoConcept: status"), self.tr("What the plugin has to work with on this machine."))
            page.facts(facts)
            page.save(path)
            results["REPORT"] = str(path)
        return results

    def engine(self, feedback):
        """Return facts of the engine; the first says whether there is one."""
        found, problem = find(feedback.isCanceled)
        if found is None:
            return [("engine", problem)]
        facts = [("engine", f"geoconcept_gis {found.version}, {found.python}")]
        worker = Engine(found.python)
        try:
            worker.start(feedback.isCanceled)
            about = worker.hello(clip_weights(), feedback.isCanceled)
        except EngineError as error:
            return [*facts, (self.tr("engine does not start"), str(error))]
        finally:
            worker.close()
        facts.append((self.tr("engine's Python"), f"{about['python']}, numpy {about['numpy']}, {about['prefix']}"))
        for name, tower in about["towers"].items():
            facts.append((self.tr("tower {0}").format(name), self.tr("ready") if tower["ready"] else tower["missing"]))
        others = [str(one) for one in candidates() if one != found.python]
        if others:
            facts.append((self.tr("other engines"), "; ".join(others)))
        return facts
