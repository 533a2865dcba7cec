# SPDX-License-Identifier: GPL-2.0-or-later
"""Results in the layer tree: their name, their group on top, their style."""

from qgis.core import QgsProcessingLayerPostProcessorInterface, QgsProject

__all__ = ["GROUP", "put_on_top", "show"]

GROUP = "GeoConcept"
#: QGIS does not keep post-processors alive; the last ones are enough, since one run ends before many others begin.
_KEPT = []
_MOST_KEPT = 200


class _Prepare(QgsProcessingLayerPostProcessorInterface):
    """Styles a result and moves it into the group, on the GUI thread, once QGIS has loaded it."""

    def __init__(self, title, prepare):
        super().__init__()
        self.title, self.prepare = title, prepare

    def postProcessLayer(self, layer, context, feedback):  # noqa: N802
        if layer is None or not layer.isValid():
            return
        layer.setName(self.title)
        if self.prepare is not None:
            self.prepare(layer)
        put_on_top(layer, context.project() or QgsProject.instance())


def show(details, title, prepare=None):
    """Have a result loaded under a title, styled by `prepare(layer)`, in the group of the plugin.

    Parameters
    ----------
    details : QgsProcessingContext.LayerDetails
    title : str
    prepare : callable, optional
        Called with the layer on the GUI thread.
    """
    details.name = title
    if hasattr(details, "groupName"):
        details.groupName = GROUP
    step = _Prepare(title, prepare)
    details.setPostProcessor(step)
    _KEPT.append(step)
    del _KEPT[:-_MOST_KEPT]


def put_on_top(layer, project):
    """Move a layer to the top of the plugin's group, and the group to the top of the tree: never below a base map."""
    root = project.layerTreeRoot()
    node = root.findLayer(layer.id())
    if node is None:  # newer versions add layers themselves, to the group that was named
        return
    group = root.findGroup(GROUP)
    if group is None:
        group = root.insertGroup(0, GROUP)
    copy = node.clone()
    group.insertChildNode(0, copy)
    node.parent().removeChildNode(node)
