"""Builds static/icons.svg: one sprite of the Tabler outline icons that Sitrep uses and of its own status shapes.

    npm pack @tabler/icons@3.51.0 && tar xzf tabler-icons-3.51.0.tgz
    python bench/build_icons.py package/icons/outline

Add a name to bench/icons.txt, run it again and commit the sprite. A page uses `{% icon "bell" %}`.
"""

import re
import sys
from pathlib import Path

SPRITE = Path(__file__).resolve().parent.parent / "static" / "icons.svg"

NAMES = Path(__file__).with_name("icons.txt")

# Severity is a filled shape, status a ring that fills as work goes on: both are read without their colour.
OWN_SHAPES = {
    "severity-4": '<path d="M12 3.2 22 20.5H2z" fill="currentColor" stroke="currentColor" stroke-width="2.4"/>',
    "severity-3": '<path d="M12 2.4 21.6 12 12 21.6 2.4 12z" fill="currentColor" stroke="currentColor"/>',
    "severity-2": '<circle cx="12" cy="12" r="8.6" fill="currentColor"/>',
    "severity-1": '<circle cx="12" cy="12" r="7.6" stroke-width="2.8"/>',
    "ring-open": '<circle cx="12" cy="12" r="8.8" stroke-width="2.4" stroke-dasharray="3.1 3.04"/>',
    "ring-quarter": '<circle cx="12" cy="12" r="8.8" stroke-width="2.4"/><path d="M12 12V6.4A5.6 5.6 0 0 1 17.6 12z" '
    'fill="currentColor" stroke="none"/>',
    "ring-half": '<circle cx="12" cy="12" r="8.8" stroke-width="2.4"/><path d="M12 6.4a5.6 5.6 0 0 1 0 11.2z" '
    'fill="currentColor" stroke="none"/>',
    "ring-three-quarters": '<circle cx="12" cy="12" r="8.8" stroke-width="2.4"/><path d="M12 12V6.4A5.6 5.6 0 1 1 '
    '6.4 12z" fill="currentColor" stroke="none"/>',
    "ring-full": '<circle cx="12" cy="12" r="10" fill="currentColor" stroke="none"/>'
    '<path d="m7.6 12.3 3 3 5.8-6.2" stroke="var(--surface, #fff)" stroke-width="2.4"/>',
    "ring-crossed": '<circle cx="12" cy="12" r="8.8" stroke-width="2.4"/>'
    '<path d="m8.8 8.8 6.4 6.4" stroke-width="2.4"/>',
    "dot": '<circle cx="12" cy="12" r="6" fill="currentColor" stroke="none"/>',
}


def symbol(name: str, body: str, stroke_width: str) -> str:
    """Returns one <symbol> whose strokes take the colour of the text around it."""
    return (
        f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="{stroke_width}" '
        f'stroke-linecap="round" stroke-linejoin="round">{body}</symbol>'
    )


def tabler_symbol(folder: Path, name: str) -> str:
    """Returns the symbol of one Tabler icon; raises FileNotFoundError when Tabler has no such icon."""
    text = (folder / f"{name}.svg").read_text()
    body = re.sub(r"\s+", " ", re.sub(r"^.*?<svg[^>]*>|</svg>.*$", "", text, flags=re.DOTALL)).strip()
    body = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/> ?', "", body)
    return symbol(name, body.replace(" />", "/>").replace("> <", "><"), "1.75")


def main(folder: Path) -> None:
    """Writes the sprite, its symbols in a fixed order so that a change is a readable diff."""
    symbols = [symbol(name, body, "1") for name, body in OWN_SHAPES.items()]
    symbols += [tabler_symbol(folder, name) for name in NAMES.read_text().split()]
    SPRITE.write_text('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n")
    sys.stdout.write(f"{SPRITE}: {len(symbols)} symbols, {SPRITE.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build_icons.py path/to/@tabler/icons/icons/outline")
    main(Path(sys.argv[1]))
