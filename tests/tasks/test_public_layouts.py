"""A few rows of each public data set, as its own documentation has them, and what a person would read out of them."""

import pandas as pd
import pytest
from layouts import mimic

from cxr_core.errors import TableError, UndecidedError
from cxr_core.schema import LABELS, Value
from cxr_core.sources.importing.choices import ImportChoices
from cxr_core.sources.importing.label_rows import label_rows
from cxr_core.sources.importing.mapping import Mapping
from cxr_core.sources.importing.text_table import read_text_table
from cxr_core.sources.registry import get_source
from cxr_core.tasks.import_labels import import_labels

ABSENT, UNSURE, PRESENT = Value.negative, Value.uncertain, Value.positive
TRAIN = ImportChoices(dataset="train")


def rows(folder, files, choices=TRAIN):
    """Return what is read of files, name -> text, and the rows by their path."""
    for name, text in files.items():
        (folder / name).write_text(text)
    read = label_rows([read_text_table(folder / name) for name in files], choices)
    return read, read.frame.set_index("path")


def column(frame, name):
    """Return a column with None where nothing is said."""
    return [None if pd.isna(value) else value for value in frame[name].tolist()]


NIH = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"
    "00000001_000.png,Cardiomegaly,0,1,058Y,M,PA\n"
    "00000001_001.png,Cardiomegaly|Effusion,1,1,058Y,M,AP\n"
    "00000002_000.png,No Finding,0,2,081Y,F,PA\n"
    "00000013_005.png,Hernia|Pleural_Thickening|Mass,5,13,011M,F,AP\n"
)


def test_nih_lists_its_findings_and_what_it_could_name_and_does_not_is_absent(tmp_path):
    read, frame = rows(tmp_path, {"Data_Entry_2017.csv": NIH})
    assert (read.layout, read.read, read.refused) == ("nih", 4, 0)
    assert column(frame, "cardiomegaly") == [PRESENT, PRESENT, ABSENT, ABSENT]
    assert column(frame, "pleural_effusion") == [ABSENT, PRESENT, ABSENT, ABSENT]
    assert column(frame, "no_finding") == [ABSENT, ABSENT, PRESENT, ABSENT]
    assert column(frame, "pneumonia") == [None] * 4
    for further in ("hernia", "mass", "pleural_thickening"):
        assert column(frame, further) == [ABSENT, ABSENT, ABSENT, PRESENT]
    assert column(frame, "patient") == ["1", "1", "2", "13"]
    assert column(frame, "view") == [0] * 4
    assert column(frame, "sex") == ["M", "M", "F", "F"]
    assert column(frame, "age") == pytest.approx([58, 58, 81, 11 / 12])
    assert any("hernia, mass, pleural_thickening" in note.lower() for note in read.notes)


def test_what_a_list_does_not_name_can_be_not_mentioned_and_a_word_can_be_mapped_or_left_out(tmp_path):
    said = Mapping(absent="not_mentioned", findings={"Mass": "lung_lesion", "Hernia": ""})
    read, frame = rows(tmp_path, {"nih.csv": NIH}, ImportChoices(dataset="train", mapping=said))
    assert column(frame, "lung_lesion") == [0, 0, 0, PRESENT]
    assert column(frame, "cardiomegaly") == [PRESENT, PRESENT, 0, 0]
    assert "hernia" not in frame and "mass" not in frame
    assert any("does not is not mentioned" in note for note in read.notes)


def test_the_lists_of_nih_put_its_images_into_data_sets_and_its_boxes_are_not_used(tmp_path):
    lists = {
        "train_val_list.txt": "00000001_000.png\n00000001_001.png\n00000002_000.png\n",
        "test_list.txt": "00000013_005.png\n",
    }
    boxes = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000013_005.png,Hernia,225.1,547.0,86.8,79.2,,,\n"
    read, frame = rows(tmp_path, {"nih.csv": NIH, **lists, "BBox_List_2017.csv": boxes}, ImportChoices())
    assert column(frame, "dataset") == [0, 0, 0, 2]
    assert "train_val_list.txt puts 3 images in train." in read.notes
    assert "test_list.txt puts 1 image in test." in read.notes
    assert any("BBox_List_2017.csv holds boxes, which are not used" in note for note in read.notes)


def test_an_image_that_no_list_of_its_data_set_names_is_refused_by_its_line(tmp_path):
    lists = {"train_list.txt": "00000001_000.png\n00000001_001.png\n", "test_list.txt": "00000002_000.png\nx.png\n"}
    with pytest.raises(TableError, match=r"nih.csv, line 5: split"):
        rows(tmp_path, {"nih.csv": NIH, **lists}, ImportChoices())


def test_nih_without_a_column_of_patients_has_them_in_the_names_of_its_images(tmp_path):
    text = "image_id,Nodule or mass,Pneumothorax,Fracture\n00000211_006.png,NO,YES,NO\n00000013_005.png,YES,NO,NO\n"
    read, frame = rows(tmp_path, {"test_labels.csv": text}, ImportChoices())
    assert read.layout == "nih-google"
    assert column(frame, "patient") == ["211", "13"]
    assert column(frame, "pneumothorax") == [PRESENT, ABSENT]
    assert column(frame, "nodule_or_mass") == [ABSENT, PRESENT]
    assert column(frame, "view") == [0, 0] and column(frame, "dataset") == [2, 2]
    assert any("'NO' negative, 'YES' positive" in note for note in read.notes)


def test_padchest_has_python_lists_of_findings_and_a_lateral_is_called_l(tmp_path):
    text = (
        ",ImageID,ImageDir,StudyID,PatientID,PatientBirth,PatientSex_DICOM,Projection,MethodLabel,Labels\n"
        "0,a_1.png,0,s1,p1,1940,M,PA,Physician,\"['pleural effusion', 'cardiomegaly']\"\n"
        "1,a_2.png,0,s1,p1,1940,M,L,Physician,\"['pleural effusion', 'cardiomegaly']\"\n"
        "2,b_1.png,0,s2,p2,1950,F,AP_horizontal,RNN_model,['normal']\n"
        "3,c_1.png,0,s3,p3,1950,F,COSTAL,RNN_model,\"['nodule', 'normal']\"\n"
    )
    read, frame = rows(tmp_path, {"PADCHEST.csv": text})
    assert read.layout == "padchest"
    assert column(frame, "view") == [0, 1, 0, 2]
    assert column(frame, "pleural_effusion") == [PRESENT, PRESENT, ABSENT, ABSENT]
    assert column(frame, "no_finding") == [ABSENT, ABSENT, PRESENT, PRESENT]
    assert column(frame, "nodule") == [ABSENT, ABSENT, ABSENT, PRESENT]
    assert (column(frame, "study"), column(frame, "patient")) == (["s1", "s1", "s2", "s3"], ["p1", "p1", "p2", "p3"])
    assert column(frame, "sex") == ["M", "M", "F", "F"]
    assert any("COSTAL count as other" in note for note in read.notes)


VINDR = (
    "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
    "aa,No finding,14,R1,,,,\n"
    "aa,Cardiomegaly,3,R2,1,2,3,4\n"
    "aa,Pleural effusion,10,R2,5,6,7,8\n"
    "aa,Cardiomegaly,3,R3,1,2,3,4\n"
    "bb,No finding,14,R1,,,,\n"
    "bb,No finding,14,R2,,,,\n"
    "bb,Cardiomegaly,3,R3,1,2,3,4\n"
)


@pytest.mark.parametrize(
    ("rule", "cardiomegaly", "effusion", "no_finding"),
    [
        ("majority", [PRESENT, ABSENT], [ABSENT, ABSENT], [ABSENT, PRESENT]),
        ("max", [PRESENT, PRESENT], [PRESENT, ABSENT], [PRESENT, PRESENT]),
        ("reader=R1", [ABSENT, ABSENT], [ABSENT, ABSENT], [PRESENT, PRESENT]),
        ("reader=R2", [PRESENT, ABSENT], [PRESENT, ABSENT], [ABSENT, PRESENT]),
    ],
)
def test_vindr_has_a_row_a_box_and_several_readers_whose_word_is_said(
    tmp_path, rule, cardiomegaly, effusion, no_finding
):
    choices = ImportChoices(dataset="train", mapping=Mapping(rows=rule))
    read, frame = rows(tmp_path, {"vindr.csv": VINDR}, choices)
    assert read.layout == "vindr" and frame.index.tolist() == ["aa", "bb"]
    assert column(frame, "cardiomegaly") == cardiomegaly
    assert column(frame, "pleural_effusion") == effusion
    assert column(frame, "no_finding") == no_finding
    assert column(frame, "view") == [0, 0]


def test_whose_word_counts_is_asked_with_each_reader_as_an_answer(tmp_path):
    with pytest.raises(UndecidedError, match=r"7 rows of images that several of 3 readers saw") as asked:
        rows(tmp_path, {"vindr.csv": VINDR})
    options = [choice.option.removeprefix("--answer rows=") for choice in asked.value.choices]
    assert options == ["majority", "max", "readings", "reader=R1", "reader=R2", "reader=R3"]
    with pytest.raises(TableError, match=r"by the reader 'R9'. It has: R1, R2, R3"):
        rows(tmp_path, {"vindr.csv": VINDR}, ImportChoices(dataset="train", mapping=Mapping(rows="reader=R9")))


def test_rsna_has_a_row_a_box_and_its_classes_in_a_second_file(tmp_path):
    boxes = "patientId,x,y,width,height,Target\np-a,1,2,3,4,1\np-a,5,6,7,8,1\np-b,,,,,0\np-c,,,,,0\n"
    classes = (
        "patientId,class\np-a,Lung Opacity\np-a,Lung Opacity\np-b,Normal\np-c,No Lung Opacity / Not Normal\n"
    )  # fmt: skip
    read, frame = rows(tmp_path, {"stage_2_train_labels.csv": boxes})
    assert read.layout == "rsna" and frame.index.tolist() == ["p-a", "p-b", "p-c"]
    assert column(frame, "airspace_opacity") == [PRESENT, ABSENT, ABSENT]
    assert any("Put together 1 further row of the same images" in note for note in read.notes)
    read, frame = rows(tmp_path, {"classes.csv": classes})
    assert column(frame, "no_finding") == [ABSENT, PRESENT, ABSENT]
    assert column(frame, "airspace_opacity") == [PRESENT, ABSENT, ABSENT]
    assert not any("kept as extra" in note for note in read.notes)
    read, frame = rows(tmp_path, {"stage_2_train_labels.csv": boxes, "classes.csv": classes})
    assert (read.read, frame.index.tolist()) == (4, ["p-a", "p-b", "p-c"])
    assert column(frame, "airspace_opacity") == [PRESENT, ABSENT, ABSENT]


def test_a_mask_of_siim_says_that_there_is_a_pneumothorax_and_minus_one_that_there_is_none(tmp_path):
    text = "ImageId,EncodedPixels\n1.2.3,100 5 200 6\n1.2.3,300 2\n1.2.4,-1\n"
    read, frame = rows(tmp_path, {"train-rle.csv": text}, ImportChoices())
    assert read.layout == "siim"
    assert column(frame, "pneumothorax") == [PRESENT, ABSENT]
    assert column(frame, "edema") == [None, None] and column(frame, "view") == [0, 0]
    with pytest.raises(TableError, match=r"train.csv, line 2: EncodedPixels must be a run-length mask"):
        rows(tmp_path, {"train.csv": "ImageId,EncodedPixels\n1.2.3,here\n"})


def test_brax_is_read_by_its_png_files_and_an_age_of_85_or_more_is_kept_as_stated(tmp_path):
    text = (
        "DicomPath,PngPath,PatientID,PatientSex,PatientAge,AccessionNumber,Edema,Fracture,ViewPosition\n"
        "a/1.dcm,images/id_a/Study_1/x.png,id_a,M,45,Study_1.10,1,,PA\n"
        "b/1.dcm,images/id_b/Study_2/y.png,id_b,F,85 or more,Study_2.20,-1,0,L\n"
        "c/1.dcm,images/id_c/Study_3/z.png,id_c,O,,Study_3.30,,0,RL\n"
    )
    read, frame = rows(tmp_path, {"master.csv": text})
    assert read.layout == "brax"
    assert frame.index.tolist() == [
        "images/id_a/Study_1/x.png",
        "images/id_b/Study_2/y.png",
        "images/id_c/Study_3/z.png",
    ]
    assert column(frame, "patient") == ["id_a", "id_b", "id_c"]
    assert column(frame, "study") == ["Study_1.10", "Study_2.20", "Study_3.30"]
    assert column(frame, "edema") == [PRESENT, UNSURE, 0] and column(frame, "fracture") == [0, ABSENT, ABSENT]
    assert column(frame, "view") == [0, 1, 1] and column(frame, "position") == ["PA", "L", "RL"]
    assert column(frame, "age") == [45, 85, None]
    assert column(frame, "age_stated") == ["45", "85 or more", None]
    assert column(frame, "sex") == ["M", "F", None]


def test_the_reports_of_indiana_are_joined_to_its_images_by_their_number(tmp_path):
    reports = (
        "uid,MeSH,Problems,image,findings\n"
        "1,normal,normal,x,y\n"
        "2,a,Cardiomegaly;Pulmonary Atelectasis,x,y\n"
        "4,a,\"Fractures, Bone;Nodule\",x,y\n"
        "5,a,normal,x,y\n"
    )  # fmt: skip
    images = "uid,filename,projection\n1,1_IM-1.png,Frontal\n1,1_IM-2.png,Lateral\n2,2_IM-1.png,Frontal\n4,4_IM-1.png,Lateral\n"
    read, frame = rows(tmp_path, {"indiana_reports.csv": reports, "indiana_projections.csv": images})
    assert (read.layout, read.read) == ("indiana", 4)
    assert frame.index.tolist() == ["1_IM-1.png", "1_IM-2.png", "2_IM-1.png", "4_IM-1.png"]
    assert column(frame, "view") == [0, 1, 0, 1] and column(frame, "study") == ["1", "1", "2", "4"]
    assert column(frame, "no_finding") == [PRESENT, PRESENT, ABSENT, ABSENT]
    assert column(frame, "atelectasis") == [ABSENT, ABSENT, PRESENT, ABSENT]
    assert column(frame, "fracture") == [ABSENT, ABSENT, ABSENT, PRESENT]
    assert column(frame, "nodule") == [ABSENT, ABSENT, ABSENT, PRESENT]


def test_an_image_without_its_report_is_refused_and_files_that_share_no_key_do_not_belong_together(tmp_path):
    images = "uid,filename,projection\n1,1_IM-1.png,Frontal\n3,3_IM-1.png,Frontal\n"
    reports = "uid,Problems\n1,Cardiomegaly\n"
    with pytest.raises(TableError, match=r"images.csv, line 3: Problems must name at least one finding"):
        rows(tmp_path, {"reports.csv": reports, "images.csv": images})
    skipping = ImportChoices(dataset="train", skip_bad_rows=True)
    read, frame = rows(tmp_path, {"reports.csv": reports, "images.csv": images}, skipping)
    assert frame.index.tolist() == ["1_IM-1.png"] and read.refused == 1
    assert "1 row of images.csv has no row in reports.csv." in read.notes
    with pytest.raises(TableError, match="No uid of images.csv is in reports.csv"):
        rows(tmp_path, {"reports.csv": "uid,Problems\n8,Cardiomegaly\n", "images.csv": images})


def test_chexpert_plus_has_its_labels_as_json_lines_beside_a_table_of_its_images(tmp_path):
    path = "train/patient{0:05d}/study1/view1_frontal.jpg"
    table = "path_to_image,frontal_lateral,ap_pa,deid_patient_id,age,sex,split\n" + "".join(
        f"{path.format(number)},Frontal,AP,patient{number:05d},6{number},Male,train\n" for number in (1, 2, 3)
    )
    labels = "".join(
        f'{{"path_to_image": "{path.format(number)}", "Edema": {edema}, "Fracture": {fracture}}}\n'
        for number, edema, fracture in ((2, "-1.0", "null"), (1, "1.0", "0.0"), (3, "null", "1.0"))
    )
    read, frame = rows(tmp_path, {"df_chexpert_plus.csv": table, "report_fixed.json": labels}, ImportChoices())
    assert (read.layout, read.read) == ("chexpert-plus", 3)
    assert column(frame, "edema") == [PRESENT, UNSURE, 0]
    assert column(frame, "fracture") == [ABSENT, 0, PRESENT]
    assert column(frame, "patient") == ["patient00001", "patient00002", "patient00003"]
    assert column(frame, "age") == [61, 62, 63] and column(frame, "position") == ["AP"] * 3


def test_objects_of_json_lines_may_lack_a_key_and_a_wrong_line_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"path": "a.png", "Edema": 1}\n\n{"path": "b.png", "Fracture": "x", "n": 2.5}\n')
    table = read_text_table(tmp_path / "a.json")
    assert {name: values.to_pylist() for name, values in table.columns.items()} == {
        "path": ["a.png", "b.png"], "Edema": ["1", None], "Fracture": [None, "x"], "n": [None, "2.5"]
    }  # fmt: skip
    (tmp_path / "b.json").write_text('{"path": "a.png"}\n{"path": \n')
    with pytest.raises(TableError, match="b.json, line 2: this is no JSON "):
        read_text_table(tmp_path / "b.json")
    (tmp_path / "c.json").write_text('{"path": "a.png"}\n[1]\n')
    with pytest.raises(TableError, match="c.json, line 2: this is no JSON object"):
        read_text_table(tmp_path / "c.json")


def test_a_row_a_finding_and_value_says_nothing_of_the_other_findings(tmp_path):
    text = (
        "path,patient,view,finding,value\n"
        "a.png,1,PA,Edema,1\na.png,1,PA,Fracture,0\na.png,1,PA,Hernia,1\n"
        "b.png,2,AP,Edema,-1\nb.png,2,AP,Edema,0\n"
    )  # fmt: skip
    _, frame = rows(tmp_path, {"long.csv": text})
    assert column(frame, "edema") == [PRESENT, UNSURE]
    assert column(frame, "fracture") == [ABSENT, None]
    assert column(frame, "hernia") == [PRESENT, None]
    assert column(frame, "pneumonia") == [None, None]


def test_hand_labelled_studies_of_mimic_become_readings_of_the_right_patients(tmp_path):
    paths, labels, _ = mimic(tmp_path, studies=8)
    by_hand = labels.iloc[[5, 2]]
    paths["hand"] = tmp_path / "mimic-cxr-2.1.0-test-set-labeled.csv"
    paths["hand"].write_text(
        "study_id,Airspace Opacity,Edema\n"
        + "".join(f"{study},1.0,{edema}\n" for study, edema in zip(by_hand["study_id"], ("0.0", "-1.0"), strict=True))
        + "99999999,1.0,1.0\n"
    )
    done = import_labels("mimic", list(paths.values()), ImportChoices())
    said = get_source("mimic").warehouse().readings("radiologist").set_index("study").loc[by_hand["study_id"]]
    assert said["patient"].tolist() == by_hand["subject_id"].tolist()
    assert said["airspace_opacity"].tolist() == [3, 3] and said["edema"].tolist() == [1, 2]
    assert said["fracture"].eq(0).all() and said["image"].eq(0).all() and set(said["reader"]) == {"radiologist"}
    assert any(
        "2 studies labelled by hand are kept as the readings 'radiologist'" in note
        and "1 is not in the label table, or of several patients, and left out" in note
        for note in done.notes
    )


def test_the_split_of_mimic_may_stand_beside_the_views(tmp_path):
    paths, _, images = mimic(tmp_path, studies=8)
    together = pd.read_csv(paths["metadata"]).merge(pd.read_csv(paths["split"]))
    together.to_csv(tmp_path / "images.csv", index=False)
    done = import_labels("mimic", [paths["chexpert"], tmp_path / "images.csv"], ImportChoices())
    assert done.written == len(images)
    found = (
        get_source("mimic").warehouse().labels().assign(image=lambda rows: rows["path"].str.extract(r"([^/]+)\.jpg$"))
    )
    expected = images.set_index("dicom_id")["split"].map({"train": 0, "validate": 1, "test": 2})
    assert found.set_index("image")["dataset"].to_dict() == expected.to_dict()
    together.loc[3, "split"] = "later"
    together.to_csv(tmp_path / "images.csv", index=False)
    with pytest.raises(TableError, match="images.csv, line 5: split must be one of train, valid, test"):
        import_labels("again", [paths["chexpert"], tmp_path / "images.csv"], ImportChoices())


def test_all_of_mimic_in_one_file_is_read_with_its_paths_and_validate_is_valid(tmp_path):
    text = (
        "dicom_id,subject_id,study_id,ViewPosition,split,Edema,Fracture\n"
        "b4b147bc-5228,10000000,50000000,PA,validate,1.0,\n"
        "d3d94468-02a4,10000000,50000001,LATERAL,test,,0.0\n"
        "6512bd43-d9ca,10000000,50000001,,train,-1.0,\n"
    )
    read, frame = rows(tmp_path, {"merged.csv": text}, ImportChoices())
    assert read.layout == "mimic-cxr-jpg"
    assert frame.index.tolist() == [
        "files/p10/p10000000/s50000000/b4b147bc-5228.jpg",
        "files/p10/p10000000/s50000001/d3d94468-02a4.jpg",
        "files/p10/p10000000/s50000001/6512bd43-d9ca.jpg",
    ]
    assert column(frame, "dataset") == [1, 2, 0] and column(frame, "view") == [0, 1, 2]
    assert column(frame, "edema") == [PRESENT, 0, UNSURE] and column(frame, "fracture") == [0, ABSENT, 0]


def test_every_label_is_there_in_every_layout(tmp_path):
    for files in ({"nih.csv": NIH}, {"vindr.csv": VINDR}):
        choices = ImportChoices(dataset="train", mapping=Mapping(rows="max"))
        assert set(LABELS) <= set(rows(tmp_path, files, choices)[1].columns)
