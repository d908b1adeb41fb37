"""Pictures as people have them: upright, over the full range, whatever stands in the file beside them."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    BasicTextSRStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    generate_uid,
)

from cxr_core.errors import DataError
from cxr_core.sources.importing.image_files import image_files
from cxr_core.sources.importing.pictures import record_jpeg

#: A bright band on top, below it a ramp that rises to the right: 12 bits.
BAND = np.tile(np.linspace(80, 4000, 320), (400, 1)).astype(np.uint16)
BAND[:80] = 4000


def shown(content, **options):
    return np.asarray(Image.open(io.BytesIO(record_jpeg(content, "stretch", **options)))).astype(int)


def as_the_band(picture, low=0):
    """Whether a picture is the band over (nearly) the full range."""
    ramp = picture[200]
    expected = np.linspace(low, 255, 320)
    return picture[10:50].min() > 245 and np.abs(ramp - expected).max() < 12


def dicom(values, syntax=ExplicitVRLittleEndian, data=None, meta=True, **more):
    dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid(entropy_srcs=["a"])
    bits = 8 * values.dtype.itemsize
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    for name, value in more.items():
        setattr(dataset, name, value)
    dataset.PixelData = values.tobytes() if data is None else data
    content = io.BytesIO()
    if not meta:
        plain = Dataset()
        plain.update(dataset)
        plain.save_as(content, implicit_vr=True, little_endian=True, enforce_file_format=False)
    else:
        dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()


def with_hot_pixel():
    values = np.minimum(BAND // 4, 1000)
    values[0, 0] = 4095
    return values


def with_padding():
    values = BAND.copy()
    values[:, 300:] = 0
    return values


@pytest.mark.parametrize(
    "content",
    [
        dicom(BAND),
        dicom(with_hot_pixel()),
        dicom(BAND, WindowCenter=1, WindowWidth=1),
        dicom(BAND, WindowCenter=9000, WindowWidth=10),
        dicom(BAND, WindowCenter=2040, WindowWidth=3920),
        dicom((4095 - BAND.astype(int)).astype(np.uint16), PhotometricInterpretation="MONOCHROME1"),
        dicom((BAND.astype(int) - 2000).astype(np.int16)),
        dicom(BAND, meta=False),
    ],
    ids=["plain", "hot pixel", "window of 1", "window beside", "window", "monochrome1", "signed", "no preamble"],
)
def test_a_dicom_file_is_the_picture_over_the_full_range(content):
    assert as_the_band(shown(content))


def test_padding_is_black_and_takes_none_of_the_range():
    values = with_padding()
    values[values > 0] += 2000
    picture = shown(dicom(values, PixelPaddingValue=0))
    assert picture[200, 4:10].max() < 15 and (picture[:, 304:] < 12).all()
    inverted = shown(dicom(values, PixelPaddingValue=0, PhotometricInterpretation="MONOCHROME1"))
    assert (inverted[:, 304:] < 12).all() and inverted[200, 4:10].min() > 240


def test_values_that_need_more_bits_than_the_file_says_stay_bright_unless_they_are_a_declared_drawing():
    bright = BAND + 400
    assert as_the_band(shown(dicom(bright, BitsStored=12, HighBit=11)))
    drawn = BAND | np.uint16(0x8000)
    dataset = pydicom.dcmread(io.BytesIO(dicom(drawn, BitsStored=12, HighBit=11)))
    dataset.add_new(0x60000010, "US", drawn.shape[0])
    dataset.add_new(0x60000102, "US", 15)
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    assert as_the_band(shown(content.getvalue()))


def test_a_compressed_picture_is_decoded():
    dataset = pydicom.dcmread(io.BytesIO(dicom(BAND)))
    dataset.compress(JPEG2000Lossless)
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    assert as_the_band(shown(content.getvalue()))


def test_the_decoders_of_what_a_pacs_exports_are_there():
    from pydicom.pixels import get_decoder

    for syntax in (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless):
        assert get_decoder(syntax).is_available


def test_a_palette_and_deep_colours_are_read_through_what_they_mean():
    indices = (BAND // 16).astype(np.uint8)
    table = np.arange(256, dtype=np.uint16)[::-1] * 257
    colours = {f"{name}PaletteColorLookupTableData": table.tobytes() for name in ("Red", "Green", "Blue")}
    sizes = {f"{name}PaletteColorLookupTableDescriptor": [256, 0, 16] for name in ("Red", "Green", "Blue")}
    picture = shown(dicom(indices, PhotometricInterpretation="PALETTE COLOR", **colours, **sizes))
    assert picture[10:50].max() < 15 and picture[200, 4] > picture[200, 300]
    deep = np.repeat((BAND * 16)[..., np.newaxis], 3, axis=2)
    content = dicom(deep, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    assert as_the_band(shown(content))


def test_a_report_has_no_picture():
    dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = BasicTextSRStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid(entropy_srcs=["b"])
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    with pytest.raises(DataError, match="no picture in it: it is a DICOM file of Basic Text SR"):
        record_jpeg(content.getvalue())


EIGHT = Image.fromarray((BAND // 16).astype(np.uint8))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_camera_says(orientation):
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = EIGHT.transpose(turns[orientation]) if orientation in turns else EIGHT
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = io.BytesIO()
    stored.resize((320, 320)).save(content, "JPEG", exif=exif, quality=95)
    picture = shown(content.getvalue())
    assert picture[10:50].min() > 235 and picture[200, 20] < picture[200, 160] < picture[200, 300]


@pytest.mark.parametrize("kind", ["TIFF", "JPEG2000", "BMP", "PNG"])
def test_other_kinds_of_files_are_the_same_picture(kind):
    content = io.BytesIO()
    EIGHT.save(content, kind)
    picture = shown(content.getvalue())
    assert picture[10:50].min() > 240 and np.abs(picture[200] - np.linspace(5, 250, 320)).max() < 8


def test_sixteen_bits_with_a_burnt_in_text_keep_the_range_of_the_picture():
    content = io.BytesIO()
    Image.fromarray(with_hot_pixel()).save(content, "TIFF")
    assert as_the_band(shown(content.getvalue()))


def test_a_deep_colour_picture_that_uses_little_of_its_depth_is_skipped_with_its_reason():
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + np.full((4, 3), 1000, ">u2").tobytes() for _ in range(4))
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    with pytest.raises(DataError, match="colour picture of 16 bits"):
        record_jpeg(png)


def test_equalised_pictures_have_a_flat_histogram():
    rng = np.random.default_rng(0)
    content = io.BytesIO()
    Image.fromarray(np.clip(rng.normal(100, 10, (320, 320)), 0, 255).astype(np.uint8)).save(content, "PNG")
    plain, flat = shown(content.getvalue()), shown(content.getvalue(), equalise=True)
    assert plain.std() < 12 and 65 < flat.std() < 82


def test_images_without_an_ending_are_found_by_how_they_begin(tmp_path):
    content = io.BytesIO()
    EIGHT.save(content, "JPEG")
    (tmp_path / "IM0001").write_bytes(dicom(BAND))
    (tmp_path / "1.2.840.113619.2").write_bytes(dicom(BAND, meta=False))
    (tmp_path / "picture").write_bytes(content.getvalue())
    (tmp_path / "README").write_text("no picture")
    (tmp_path / "notes.txt").write_bytes(content.getvalue())
    assert [file.name for file in image_files(tmp_path)] == ["1.2.840.113619.2", "IM0001", "picture"]
