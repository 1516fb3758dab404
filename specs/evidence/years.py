#!/usr/bin/env python3
"""Plots what `shoal-testnet bench years --json` found: years.py YEARS.json > years-1.svg. Needs Python alone."""

import json
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 60, 130, 20, 45
# Safe for color-blind readers, and told apart by their dashes as well.
SERIES = (("disk_bytes", "on disk", "#0072b2", ""), ("rss_bytes", "in memory", "#d55e00", "6 4"))


def plot(months):
    most = max(month[key] for month in months for key, *_ in SERIES) / 1e6
    step = next(step for step in (10, 20, 50, 100, 200, 500, 1000) if most / step < 6)
    top = (most // step + 1) * step
    last = months[-1]["days"] // 30
    x = lambda month: LEFT + (month - 1) / max(1, last - 1) * (WIDTH - LEFT - RIGHT)
    y = lambda megabytes: HEIGHT - BOTTOM - megabytes / top * (HEIGHT - TOP - BOTTOM)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for value in range(0, int(top) + 1, step):
        out.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value} MB</text>')
    for month in range(1, last + 1, 3 if last > 12 else 1):
        out.append(f'<text x="{x(month):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{month}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">month of the pool</text>')
    for key, label, color, dashes in SERIES:
        points = " ".join(f'{x(month["days"] / 30):.1f},{y(month[key] / 1e6):.1f}' for month in months)
        out.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2" stroke-dasharray="{dashes}"/>')
        value = months[-1][key] / 1e6
        out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y(value) + 4:.1f}" fill="{color}">{label}: {value:.0f} MB</text>')
    return "\n".join([*out, "</svg>", ""])


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(plot(json.load(file)["months"]))
