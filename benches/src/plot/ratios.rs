//! The plot of `sync`: ratios by batch size.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

use crate::sync::Line;

/// Draws a bar for each batch size: the time relative to the classic hand-written statement.
pub(crate) fn ratios(path: &Path, lines: &[Line]) -> anyhow::Result<()> {
    let failed = |error: &dyn std::fmt::Display| anyhow!("{error}");
    let root = SVGBackend::new(path, (720, 360)).into_drawing_area();
    root.fill(&WHITE).map_err(|e| failed(&e))?;
    let count = lines.len();
    let top = lines
        .iter()
        .map(|line| line.ours / line.classic)
        .fold(1.2, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .caption(
            "Time to sync, relative to nested jsonb_build_object",
            ("sans-serif", 18),
        )
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(44)
        .build_cartesian_2d((0..count.saturating_sub(1)).into_segmented(), 0.0..top)
        .map_err(|e| failed(&e))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .y_label_formatter(&|ratio| format!("{ratio:.1}"))
        .x_desc("documents in a batch")
        .x_label_formatter(&|at| match at {
            SegmentValue::CenterOf(index) => lines
                .get(*index)
                .map_or_else(String::new, |line| line.batch.clone()),
            _ => String::new(),
        })
        .draw()
        .map_err(|e| failed(&e))?;
    chart
        .draw_series(lines.iter().enumerate().map(|(index, line)| {
            let mut bar = Rectangle::new(
                [
                    (SegmentValue::Exact(index), 0.0),
                    (SegmentValue::Exact(index + 1), line.ours / line.classic),
                ],
                RGBColor(51, 103, 145).filled(),
            );
            bar.set_margin(0, 0, 18, 18);
            bar
        }))
        .map_err(|e| failed(&e))?;
    chart
        .draw_series(LineSeries::new(
            [(SegmentValue::Exact(0), 1.0), (SegmentValue::Last, 1.0)],
            &RED,
        ))
        .map_err(|e| failed(&e))?;
    root.present().map_err(|e| failed(&e))
}
