"""Classes of overlays that PYNQ brings for its boards."""
