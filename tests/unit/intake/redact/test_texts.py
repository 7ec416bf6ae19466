"""A batch of notes comes out note by note, without what the recognisers and the person's own rows say to take out."""

from __future__ import annotations

from enclave.intake.discover.known import Staff
from enclave.intake.kinds import Kind
from enclave.intake.redact.texts import Note, marks, remaining, replaced, spans_of, stand_ins

OWN = ((Kind.NAME, "文静"), (Kind.ADDRESS, "历下区解放路123号"), (Kind.MRN, "17"))


def _marked(*notes: Note) -> list[str]:
    return [replaced(note, spans, marks) for note, spans in zip(notes, spans_of(notes), strict=True)]


def test_each_note_gets_its_own_text_back() -> None:
    texts = [f"第{n}日，患者王芳，电话138{n:08d}。" + "心肺腹未见异常。" * n for n in range(300)]
    marked = _marked(*(Note(text, n, 0) for n, text in enumerate(texts)))
    assert marked == [f"第{n}日，患者[姓名]，电话[手机号]。" + "心肺腹未见异常。" * n for n in range(300)]


def test_marks_speak_the_language_of_the_note() -> None:
    assert _marked(Note("Dr. John Smith, phone 13812345678", 1, 0)) == ["Dr. [NAME], phone [PHONE]"]


def test_a_persons_own_name_goes_though_it_is_a_word_too() -> None:
    text = "文静诉头痛；文静家住历下区解放路123号，17床"
    assert _marked(Note(text, 1, 0, OWN)) == ["[姓名]诉头痛；[姓名]家住[地址]，17床"]
    assert "文静" in _marked(Note(text, 1, 0))[0]  # control: to a reader who does not know whose note it is, a word


def test_spans_that_meet_become_one() -> None:
    note = Note("住山东省济南市历下区解放路123号4号楼", 1, 0, OWN)
    assert _marked(note) == ["住[地址]"]


def test_a_note_that_is_empty_or_longer_than_a_batch() -> None:
    long = "今晨王芳诉头痛。" * 3000
    assert _marked(Note("", 1, 0), Note(long, 1, 0), Note("", 1, 0)) == ["", "今晨[姓名]诉头痛。" * 3000, ""]


def test_what_remains_is_what_no_span_covers() -> None:
    note = Note("患者王芳，电话13812345678。", 1, 0)
    (spans,) = spans_of([note])
    assert remaining(note, spans) == "患者\n，电话\n。"


def test_stand_ins_are_the_same_in_all_notes_of_a_person() -> None:
    notes = [Note("患者王芳，电话13812345678", 7, 2), Note("王芳于2023-05-06复诊，13812345678未接", 7, 2)]
    first, second = (replaced(n, s, stand_ins(b"k" * 32)) for n, s in zip(notes, spans_of(notes), strict=True))
    name = first.removeprefix("患者")[:2]
    assert second.startswith(name) and "2023-05-08" in second
    assert first[-11:] in second and "王芳" not in first + second


STAFF = Staff(["沙明远", "高明", "Ann", "Joan Miller", "Ｌｉ Ｎａ", "4711"])


def test_names_of_staff_are_taken_out_of_every_note_unless_they_are_common_words() -> None:
    notes = [Note("经沙明远同意，处置高明。", 1, 0), Note("seen by joan miller; li naked eye", 2, 0)]
    (chinese, english) = [replaced(n, spans, marks) for n, spans in zip(notes, spans_of(notes, STAFF), strict=True)]
    assert chinese == "经[姓名]同意，处置高明。"
    assert english == "seen by [NAME]; li naked eye"
    assert _marked(notes[1]) == [notes[1].text]  # control: nobody's list


def test_a_cell_may_name_several_who_wrote_a_note() -> None:
    note = Note("高明与沙明远查房。", 1, 0, ((Kind.NAME, "高明、沙明远"),))
    assert _marked(note) == ["[姓名]与[姓名]查房。"]
