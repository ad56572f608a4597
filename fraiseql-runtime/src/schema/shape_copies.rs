//! Copies of constant tables for another schema.

use std::collections::HashMap;

use crate::schema::default_schema::DefaultSchema;
use crate::schema::part_shape::PartShape;
use crate::schema::{
    Aggregate, Between, Field, Link, Many, One, Shape, Source, Table, Values, View,
};

/// Copies of constant tables for another schema. Like the constants, they are `'static`: they live as
/// long as the program.
#[derive(Debug)]
pub(crate) struct ShapeCopies {
    schema: DefaultSchema,
    /// By the address of the original, which is never freed.
    copies: HashMap<usize, &'static Shape>,
}

impl ShapeCopies {
    pub(crate) fn new(schema: DefaultSchema) -> Self {
        Self {
            schema,
            copies: HashMap::new(),
        }
    }

    /// The copy of a view.
    pub(crate) fn view(&mut self, view: &View) -> View {
        View {
            shape: self.shape(view.shape),
            table: self.table(view.table),
            ..*view
        }
    }

    fn table(&self, table: Table) -> Table {
        self.schema.table(table)
    }

    /// The copy of a shape, the same for each view that has it. It ends, because the type of a view has no
    /// cycles.
    fn shape(&mut self, shape: &'static Shape) -> &'static Shape {
        let address = std::ptr::from_ref(shape).addr();
        if let Some(copy) = self.copies.get(&address) {
            return copy;
        }
        let fields: Vec<Field> = shape.fields.iter().map(|it| self.field(it)).collect();
        let copy: &'static Shape = Box::leak(Box::new(Shape {
            table: self.table(shape.table),
            fields: fields.leak(),
            ..*shape
        }));
        self.copies.insert(address, copy);
        copy
    }

    fn field(&mut self, field: &Field) -> Field {
        let source = match &field.source {
            &Source::Column { column, ty } => Source::Column { column, ty },
            &Source::Expr { expr, ty } => Source::Expr { expr, ty },
            &Source::GlobalId { ty } => Source::GlobalId { ty },
            &Source::Through { column, ty } => Source::Through { column, ty },
            Source::One(one) => Source::One(One {
                shape: self.part(one.shape),
                ..*one
            }),
            Source::Many(many) => Source::Many(self.many(many)),
            Source::First(many) => Source::First(self.many(many)),
            Source::Values(values) => Source::Values(Values {
                table: self.table(values.table),
                link: self.link(values.link),
                ..*values
            }),
            Source::Aggregate(aggregate) => Source::Aggregate(self.aggregate(aggregate)),
            Source::OfGroup(aggregate) => Source::OfGroup(self.aggregate(aggregate)),
        };
        Field { source, ..*field }
    }

    fn part(&mut self, part: PartShape) -> PartShape {
        PartShape::InSchema(self.shape(part.get()))
    }

    fn many(&mut self, many: &Many) -> Many {
        Many {
            link: self.link(many.link),
            shape: self.part(many.shape),
            ..*many
        }
    }

    fn aggregate(&self, aggregate: &Aggregate) -> Aggregate {
        Aggregate {
            table: self.table(aggregate.table),
            through: aggregate.through.map(|between| Between {
                table: self.table(between.table),
                ..between
            }),
            ..*aggregate
        }
    }

    fn link(&self, link: Link) -> Link {
        match link {
            Link::ForeignKey(_) => link,
            Link::Through {
                table,
                fk,
                to,
                key,
                order_by,
            } => Link::Through {
                table: self.table(table),
                fk,
                to,
                key,
                order_by,
            },
        }
    }
}
