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
    is_of_the_root = page.file.src_uri in OF_THE_ROOT.values()
    if is_of_the_root:
        markdown = markdown.replace("](docs/", "](")
    for name, uri in OF_THE_ROOT.items():
        markdown = re.sub(rf"\]\((\.\./)?{name}\.md", f"]({uri}", markdown)
    if is_of_the_root:
        # What lies beside the code and is no page is named, and leads nowhere.
        links = r"\[([^\]\n]+)\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)"
        markdown = re.sub(links, lambda found: found[0] if found[2] in files.src_uris else found[1], markdown)
    markdown = re.sub(r"^<!-- made: (\w+) -->$", lambda found: MADE[found[1]](), markdown, flags=re.M)
    return re.sub(r"^```mermaid\n(.*?)^```$", lambda found: diagram_svg(found[1]), markdown, flags=re.M | re.S)
