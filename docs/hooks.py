"""What the site adds to the pages as they stand here: pages of the root, parts made from the code, drawn diagrams."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from gene_eval.documentation.site import MADE, diagram_svg

ROOT = Path(__file__).resolve().parent.parent
OF_THE_ROOT = {name: f"{name.lower()}.md" for name in ("CONTRIBUTING", "CHANGELOG", "SECURITY", "CODE_OF_CONDUCT")}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages of the repository's root, which lie beside the code that they are about."""
    for name, uri in OF_THE_ROOT.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / f"{name}.md")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links between the root and docs/, `<!-- made: NAME -->`, and mermaid diagrams."""
    if page.file.src_uri in OF_THE_ROOT.values():
        markdown = markdown.replace("](docs/", "](")
    for name, uri in OF_THE_ROOT.items():
        markdown = re.sub(rf"\]\((\.\./)?{name}\.md", f"]({uri}", markdown)
    markdown = re.sub(r"^<!-- made: (\w+) -->$", lambda found: MADE[found[1]](), markdown, flags=re.M)
    return re.sub(r"^```mermaid\n(.*?)^```$", lambda found: diagram_svg(found[1]), markdown, flags=re.M | re.S)
