"""What all pictures have in common."""

from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 480
LEFT, RIGHT, TOP, BOTTOM = 80, 240, 60, 50
COLOURS = ("#d6336c", "#1c7ed6", "#2f9e44", "#e8590c", "#6741d9", "#0c8599", "#a61e4d", "#868e96", "#5c940d",
           "#c2a000", "#364fc7", "#000000")


def text(x, y, words, anchor="start", colour="#000", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-weight="{weight}">'
            f"{escape(words)}</text>")


def picture(title, facts, parts):
    under = (f"{facts['cpu']}, {facts['cores']} cores, load {facts['load']:.1f}; medians of {facts['runs']} "
             f"interleaved runs of {facts['seconds']:g} s")
    head = [text(LEFT, 24, title, weight="bold"), text(LEFT, 42, under, colour="#555")]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            f'font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
            + "\n".join([*head, *parts]) + "\n</svg>\n")
