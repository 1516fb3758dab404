//! Plots as SVG: lines with markers and confidence intervals, and a legend below. Color-blind readers can tell the
//! colors apart; dashes and markers differ as well.

mod scale;
#[cfg(test)]
mod tests;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::result::{Plot, Series};

use scale::Scale;

/// Width of every plot in its own units. It is scaled to the available width.
const WIDTH: u32 = 720;
/// Height of a plot without its legend.
const HEIGHT: u32 = 400;
/// Height of a line of the legend.
const LEGEND_LINE: i32 = 24;
/// Left edge of the legend. Names follow the samples.
const LEGEND_LEFT: i32 = 90;
/// Length of a sample in the legend.
const SAMPLE: i32 = 46;
/// Font size, which is readable on a phone, where plots are half as wide.
const FONT: u32 = 17;
/// Half the size of a marker.
const MARKER: i32 = 4;

/// The palette of Okabe and Ito (2008), without its yellow, which is too pale on white.
const COLORS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// Gray of grid and marks.
const GRID: RGBColor = RGBColor(222, 222, 222);
const MARK: RGBColor = RGBColor(110, 110, 110);

/// Pixels from the upper left corner.
type Pixel = (i32, i32);
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Draws a plot. `None` if no point can be shown.
///
/// # Panics
/// Never: drawing into a string does not fail.
#[must_use]
pub fn svg(plot: &Plot) -> Option<String> {
    let points = || plot.series.iter().flat_map(|series| &series.points);
    let x = Scale::of(points().map(|point| point.x), plot.x.log)?;
    let heights = points().flat_map(|point| [point.y.mean, point.y.low, point.y.high]);
    let y = Scale::of(heights.chain(plot.marks.iter().map(|mark| mark.y)), plot.y.log)?;
    let mut text = String::new();
    draw(plot, &x, &y, &mut text).expect("drawing into a string does not fail");
    Some(as_wide_as_there_is_room(text))
}

/// Drops the fixed size, so that the picture fills the available width.
fn as_wide_as_there_is_room(mut text: String) -> String {
    if let (Some(start), Some(end)) = (text.find("width=\""), text.find("viewBox=")) {
        text.replace_range(start..end, "");
    }
    text
}

fn draw(plot: &Plot, x: &Scale, y: &Scale, text: &mut String) -> Drawn {
    let lines = i32::try_from(plot.series.len() + plot.marks.len()).unwrap_or(i32::MAX);
    let height = HEIGHT + lines.saturating_mul(LEGEND_LINE).unsigned_abs() + 10;
    let root = SVGBackend::with_string(text, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let (upper, _) = root.split_vertically(HEIGHT);
    let mut chart = ChartBuilder::on(&upper)
        .margin(10)
        .margin_right(26)
        .x_label_area_size(58)
        .y_label_area_size(LEGEND_LEFT.unsigned_abs() - 4)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_desc(&plot.x.label)
        .y_desc(&plot.y.label)
        .x_label_formatter(&|place| x.label(*place))
        .y_label_formatter(&|place| y.label(*place))
        .label_style(("sans-serif", FONT))
        .draw()?;
    let area = chart.plotting_area();
    let place = |to_x: f64, to_y: f64| area.map_coordinate(&(x.place(to_x), y.place(to_y)));
    let below = |line: usize| {
        let line = i32::try_from(line).unwrap_or(i32::MAX);
        HEIGHT.cast_signed() + line.saturating_mul(LEGEND_LINE) + LEGEND_LINE / 2
    };
    for (index, mark) in plot.marks.iter().enumerate() {
        let (left, _) = area.get_pixel_range();
        let (_, at) = place(x.first, mark.y);
        dashed(&root, &[(left.start, at), (left.end, at)], MARK, Some((2, 4)))?;
        let middle = below(plot.series.len() + index);
        dashed(&root, &[(LEGEND_LEFT, middle), (LEGEND_LEFT + SAMPLE, middle)], MARK, Some((2, 4)))?;
        name(&root, &mark.name, middle)?;
    }
    for (index, series) in plot.series.iter().enumerate() {
        let pen = Pen::of(index);
        draw_series(&root, series, pen, y, &place)?;
        let middle = below(index);
        let (left, right) = ((LEGEND_LEFT, middle), (LEGEND_LEFT + SAMPLE, middle));
        pen.line(&root, &[left, right])?;
        pen.marker(&root, (LEGEND_LEFT + SAMPLE / 2, middle))?;
        name(&root, &series.name, middle)?;
    }
    root.present()
}

/// Draws a name in the legend.
fn name(root: &Area<'_>, name: &str, middle: i32) -> Drawn {
    let at = (LEGEND_LEFT + SAMPLE + 10, middle - FONT.cast_signed() / 2);
    root.draw(&Text::new(name.to_owned(), at, ("sans-serif", FONT)))
}

fn draw_series(root: &Area<'_>, series: &Series, pen: Pen, y: &Scale, place: &impl Fn(f64, f64) -> Pixel) -> Drawn {
    let shown = || series.points.iter().filter(|point| point.x.is_finite() && y.shows(point.y.mean));
    let line: Vec<Pixel> = shown().map(|point| place(point.x, point.y.mean)).collect();
    for (point, at) in shown().zip(&line) {
        let (low, high) = (place(point.x, y.clamp(point.y.low)), place(point.x, y.clamp(point.y.high)));
        if low.1 - high.1 > 2 * MARKER {
            pen.whisker(root, at.0, low.1, high.1)?;
        }
    }
    pen.line(root, &line)?;
    line.iter().try_for_each(|at| pen.marker(root, *at))
}

/// Color, dash and marker of a series.
#[derive(Clone, Copy)]
struct Pen {
    color: RGBColor,
    dash: Option<(i32, i32)>,
    marker: usize,
}

impl Pen {
    const fn of(index: usize) -> Self {
        let dash = match index % 4 {
            0 => None,
            1 => Some((9, 5)),
            2 => Some((3, 4)),
            _ => Some((14, 4)),
        };
        Self { color: COLORS[index % COLORS.len()], dash, marker: index % 5 }
    }

    fn line(self, root: &Area<'_>, path: &[Pixel]) -> Drawn {
        dashed(root, path, self.color, self.dash)
    }

    fn whisker(self, root: &Area<'_>, x: i32, low: i32, high: i32) -> Drawn {
        for path in
            [[(x, low), (x, high)], [(x - MARKER, low), (x + MARKER, low)], [(x - MARKER, high), (x + MARKER, high)]]
        {
            root.draw(&PathElement::new(path.to_vec(), self.color.mix(0.7).stroke_width(1)))?;
        }
        Ok(())
    }

    fn marker(self, root: &Area<'_>, at: Pixel) -> Drawn {
        let (x, y) = at;
        let filled = self.color.filled();
        match self.marker {
            0 => root.draw(&Circle::new(at, MARKER, filled)),
            1 => root.draw(&Rectangle::new([(x - MARKER, y - MARKER), (x + MARKER, y + MARKER)], filled)),
            2 => root.draw(&TriangleMarker::new(at, MARKER + 2, filled)),
            3 => root.draw(&Cross::new(at, MARKER, self.color.stroke_width(2))),
            _ => {
                let around = [(x, y - MARKER - 1), (x + MARKER + 1, y), (x, y + MARKER + 1), (x - MARKER - 1, y)];
                root.draw(&Polygon::new(around.to_vec(), filled))
            }
        }
    }
}

/// Draws a line with dashes and gaps of this many pixels.
fn dashed(root: &Area<'_>, path: &[Pixel], color: RGBColor, dash: Option<(i32, i32)>) -> Drawn {
    let style = color.stroke_width(2);
    match dash {
        None => root.draw(&PathElement::new(path.to_vec(), style)),
        Some((length, gap)) => root.draw(&DashedPathElement::new(path.iter().copied(), length, gap, style)),
    }
}
