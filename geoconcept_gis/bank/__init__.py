"""The bundled concept bank: ground truths, definitions, the build and its report. Needs the extra ``fit``."""
