"""Lines in a plot whose axes are both logarithmic, as SVG."""

from html import escape
from math import log10

WIDTH, HEIGHT, LEFT, BELOW, RIGHT = 640, 360, 60, 40, 110
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b")


def plot(title, lines, ticks_x, ticks_y, label_x, label_y):
    """Lines by name, each a list of points `(x, y)`; ticks are the numbers written at the axes."""

    def x(value):
        return LEFT + (log10(value) - log10(ticks_x[0])) / log10(ticks_x[-1] / ticks_x[0]) * (WIDTH - LEFT - RIGHT)

    def y(value):
        part = (log10(max(value, ticks_y[0])) - log10(ticks_y[0])) / log10(ticks_y[-1] / ticks_y[0])
        return HEIGHT - BELOW - part * (HEIGHT - BELOW - 30)

    middle = f"{HEIGHT / 2:.0f}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="18" font-size="14">{escape(title)}</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" text-anchor="end">{escape(label_x)}</text>',
        f'<text x="14" y="{middle}" transform="rotate(-90 14 {middle})" text-anchor="middle">{escape(label_y)}</text>',
    ]
    for tick in ticks_x:
        parts.append(f'<path d="M{x(tick):.1f} 30V{HEIGHT - BELOW}" stroke="#ddd"/>')
        parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BELOW + 14}" text-anchor="middle">{tick:,}</text>')
    for tick in ticks_y:
        parts.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = "M" + "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in line)
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{44 + 16 * number}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>", ""])
