"""Conversion of images to OME-XML, the first ImageDescription of an OME-TIFF, and back.

All schemas are read, and 2016-06 is written
(https://www.openmicroscopy.org/Schemas/Documentation/Generated/OME-2016-06/ome.html; references to
TIFF planes: https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html). Values without
an element in OME are stored in our JSON record in a comment annotation, see `image.record`.
"""

from napari_ferry.ome_xml.plane_fit import PlaneFit, fit_planes, use_each_page
from napari_ferry.ome_xml.planes import OmeImage, TiffData, plane_position
from napari_ferry.ome_xml.read import parse_ome_xml
from napari_ferry.ome_xml.vocabulary import OME_DTYPES, step_losses
from napari_ferry.ome_xml.write import write_companion_xml, write_ome_xml

__all__ = [
    "OME_DTYPES",
    "OmeImage",
    "PlaneFit",
    "TiffData",
    "fit_planes",
    "parse_ome_xml",
    "plane_position",
    "step_losses",
    "use_each_page",
    "write_companion_xml",
    "write_ome_xml",
]
