"""Builds static/icons.svg: one sprite of the Tabler outline icons that Sitrep uses and of its own status shapes.

    npm pack @tabler/icons@3.51.0 && tar xzf tabler-icons-3.51.0.tgz
    python bench/build_icons.py package/icons/outline

Add a name to TABLER_ICONS, run it again and commit the sprite. A page uses `{% icon "bell" %}`.
"""

import re
import sys
from pathlib import Path

SPRITE = Path(__file__).resolve().parent.parent / "static" / "icons.svg"

TABLER_ICONS = """
activity adjustments-horizontal alert-circle alert-triangle antenna-bars-5 apps archive arrow-back-up arrow-down
arrow-left arrow-narrow-up arrow-narrow-down arrow-right arrow-up arrows-exchange arrows-sort at ban bell bell-bolt
bell-off bell-ringing bolt book books box broadcast bulb calendar calendar-event calendar-plus chart-line check checks
checklist chevron-down chevron-left chevron-right chevron-up chevrons-up circle-check circle-dashed circle-dot circle-x
clipboard-list clock clock-hour-4 clock-pause code confetti copy corner-down-left corner-down-right database
device-desktop device-mobile dots dots-vertical download edit external-link eye eye-off file-text filter fingerprint
flag flame gauge git-merge git-pull-request hand-stop headset heart heartbeat help help-circle history home hourglass
inbox info-circle key keyboard language layout-sidebar layout-sidebar-left-collapse layout-sidebar-left-expand leaf
lifebuoy link list list-check lock lock-open login logout mail mail-forward mail-opened menu-2 message message-2
message-circle mood-happy moon moon-stars note notebook notes paperclip pencil phone phone-call phone-calling phone-off
pin player-pause player-play player-skip-forward player-stop plug plus point pointer progress qrcode radar-2
refresh repeat replace report rocket rotate-clockwise route route-2 scale search selector send send-2 server settings
settings-2 share shield shield-check shield-lock sitemap sort-ascending sort-descending speakerphone square-check
stack-2 stairs star stethoscope subtask sun sun-moon switch-horizontal tag target terminal-2 thumb-up timeline-event tool
topology-star-3 trash trending-down trending-up upload urgent user user-check user-circle user-edit user-minus
user-plus users users-group versions volume-off webhook world world-check world-upload writing x zoom-question
""".split()

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
    "ring-crossed": '<circle cx="12" cy="12" r="8.8" stroke-width="2.4"/><path d="m8.8 8.8 6.4 6.4" stroke-width="2.4"/>',
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
    symbols += [tabler_symbol(folder, name) for name in sorted(set(TABLER_ICONS))]
    SPRITE.write_text('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n")
    print(f"{SPRITE}: {len(symbols)} symbols, {SPRITE.stat().st_size:,} bytes")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build_icons.py path/to/@tabler/icons/icons/outline")
    main(Path(sys.argv[1]))
