"""Static files under hashed names: what refers to another file refers to the name with its hash."""

from __future__ import annotations

import re

from django.core.files.storage import FileSystemStorage

from tmi.static import HashedStaticFiles

MODULES = {
    "a.js": """// import what is needed
import { one } from "./lib/b.js"
import * as all from './lib/c.js'
export { two } from "./lib/b.js"
import "./lib/c.js";
const later = () => import("./lib/c.js")
const text = "import { one } from somewhere"
""",
    "lib/b.js": 'import { three } from "../d.js"\nexport const one = 1, two = three\n',
    "lib/c.js": "export const four = 4\n",
    "d.js": "export const three = 3\n",
}
REFERENCE = re.compile(r"""(?:from |import |import\()["'](\.[^"']+)["']""")


def collected(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    storage = HashedStaticFiles(location=folder, base_url="/static/")
    source = FileSystemStorage(folder)
    for name, _, done in storage.post_process({name: (source, name) for name in files}):
        assert not isinstance(done, Exception), (name, done)
    return storage.hashed_files


def test_modules_import_each_other_by_hashed_names(tmp_path):
    names = collected(tmp_path, MODULES)
    references = REFERENCE.findall((tmp_path / names["a.js"]).read_text())
    assert len(references) == 5
    for reference in references:
        assert re.search(r"\.[0-9a-f]{12}\.js$", reference)
        assert (tmp_path / reference).is_file()
    assert 'const text = "import { one } from somewhere"' in (tmp_path / names["a.js"]).read_text()


def test_a_module_has_another_name_when_what_it_imports_has_changed(tmp_path):
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before = collected(tmp_path / "before", MODULES)
    after = collected(tmp_path / "after", MODULES | {"d.js": "export const three = 33\n"})
    assert before["a.js"] != after["a.js"]
    assert before["lib/c.js"] == after["lib/c.js"]
