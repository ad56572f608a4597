//! The plot of `tenants`: times by the number of documents.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

/// The times of one kind of read, in milliseconds, one for each number of documents.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) times: Vec<f64>,
}

const COLORS: [RGBColor; 3] = [
    RGBColor(51, 103, 145),
    RGBColor(214, 96, 36),
    RGBColor(70, 140, 80),
];

/// Draws a line for each kind of read. The numbers of documents are at equal distances.
pub(crate) fn by_documents(path: &Path, documents: &[u32], all: &[Series]) -> anyhow::Result<()> {
    let failed = |error: &dyn std::fmt::Display| anyhow!("{error}");
    let root = SVGBackend::new(path, (720, 360)).into_drawing_area();
    root.fill(&WHITE).map_err(|e| failed(&e))?;
    let times = all.iter().flat_map(|series| &series.times);
    let top = times.fold(0.0_f64, |top, time| top.max(*time)) * 1.3;
    let last = documents.len().saturating_sub(1);
    let mut chart = ChartBuilder::on(&root)
        .caption("Reads of one tenant", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d((0..last).into_segmented(), 0.0..top)
        .map_err(|e| failed(&e))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|time| format!("{time:.2}"))
        .y_desc("ms")
        .x_desc("documents")
        .x_label_formatter(&|at| match at {
            SegmentValue::CenterOf(index) => documents
                .get(*index)
                .map_or_else(String::new, u32::to_string),
            _ => String::new(),
        })
        .draw()
        .map_err(|e| failed(&e))?;
    for (series, color) in all.iter().zip(COLORS) {
        let points = series.times.iter().enumerate();
        let points = points.map(|(index, time)| (SegmentValue::CenterOf(index), *time));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))
            .map_err(|e| failed(&e))?
            .label(series.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(TRANSPARENT)
        .draw()
        .map_err(|e| failed(&e))?;
    root.present().map_err(|e| failed(&e))
}
