"""Image <-> OME-XML, the description that an OME-TIFF carries in its first ImageDescription.

Written is the schema 2016-06, read are all of them
(https://www.openmicroscopy.org/Schemas/Documentation/Generated/OME-2016-06/ome.html;
how TIFF planes are named: https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html).
What OME has no place for rides as our JSON record in a comment annotation, see `description`.
"""

from napari_ferry.ome_xml.planes import OmeImage, TiffData, plane_position
from napari_ferry.ome_xml.read import parse_ome_xml
from napari_ferry.ome_xml.vocabulary import OME_DTYPES
from napari_ferry.ome_xml.write import write_ome_xml

__all__ = [
    "OME_DTYPES",
    "OmeImage",
    "TiffData",
    "parse_ome_xml",
    "plane_position",
    "write_ome_xml",
]
