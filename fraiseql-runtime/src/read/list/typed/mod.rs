//! Filters and orders that the compiler checks: the constants that the derive emits for the fields of a view.

mod column;
mod filter_of;
mod operand;
mod order_of;
mod usage;

pub use column::Column;
pub use filter_of::{FilterOf, IntoFilter};
pub use operand::{Operand, Operands};
pub use order_of::{IntoOrder, OrderOf};
pub use usage::{CanFilter, CanOrder, FilterAndOrder, FilterOnly, NoColumn};

/// The view of a list, if it is only known at run time.
#[derive(Clone, Copy, Debug)]
pub enum AnyView {}

#[cfg(test)]
mod tests {
    use super::{Column, FilterAndOrder};
    use crate::list::{Filter, ListError, Operator};
    use crate::schema::scalar::{ListValue, Matchable, Ordered, Scalar, SingleValue};

    fn those_of_lists<T: Scalar>(count: usize) {
        let operators = Operator::of(&T::TYPE);
        assert!(operators.contains(&Operator::IsNull));
        // Besides `is_null` and `is_not_null`, which every `Option` has.
        assert_eq!(operators.len(), count + 1, "{:?}", T::TYPE);
    }

    fn whole<T: ListValue>() {
        those_of_lists::<T>(4);
    }

    fn single<T: SingleValue>() {
        those_of_lists::<T>(4);
    }

    fn ordered<T: Ordered>() {
        those_of_lists::<T>(8);
    }

    fn matchable<T: Matchable>() {
        those_of_lists::<T>(10);
    }

    #[test]
    fn a_type_has_the_operators_that_lists_have_at_run_time() {
        whole::<Vec<String>>();
        whole::<Option<Vec<Option<i32>>>>();
        single::<bool>();
        ordered::<i16>();
        ordered::<i32>();
        ordered::<i64>();
        ordered::<f32>();
        ordered::<Option<f64>>();
        ordered::<uuid::Uuid>();
        matchable::<String>();
        matchable::<Option<String>>();
        #[cfg(feature = "chrono")]
        {
            ordered::<chrono::DateTime<chrono::Utc>>();
            ordered::<chrono::NaiveDateTime>();
            ordered::<chrono::NaiveDate>();
            ordered::<chrono::NaiveTime>();
        }
        #[cfg(feature = "rust_decimal")]
        ordered::<rust_decimal::Decimal>();
        #[cfg(feature = "time")]
        {
            ordered::<time::OffsetDateTime>();
            ordered::<time::UtcDateTime>();
            ordered::<time::PrimitiveDateTime>();
            ordered::<time::Date>();
            ordered::<time::Time>();
        }
        #[cfg(feature = "jiff")]
        {
            ordered::<jiff::Timestamp>();
            ordered::<jiff::civil::DateTime>();
            ordered::<jiff::civil::Date>();
            ordered::<jiff::civil::Time>();
        }
    }

    enum Post {}

    const TITLE: Column<Post, Option<String>, FilterAndOrder> = Column::new("title");
    const SCORE: Column<Post, f64, FilterAndOrder> = Column::new("score");

    #[test]
    fn a_filter_is_the_same_as_by_names() {
        let typed = TITLE
            .eq("a")
            .or(TITLE.is_null())
            .or(TITLE.is_in(["b", "c"]));
        let named = Filter::any([
            Filter::eq("title", "a"),
            Filter::compare("title", Operator::IsNull, true),
            Filter::compare("title", Operator::In, serde_json::json!(["b", "c"])),
        ]);
        assert_eq!(Filter::from(typed.clone()), named);
        assert_eq!(Filter::from(!typed.clone()), Filter::not(named));
        assert_eq!(!typed.clone(), typed.not());
    }

    #[test]
    fn a_chain_of_any_length_has_one_level() {
        let one = || SCORE.gt(1.0);
        let chain = (0..100).fold(one(), |chain, _| chain.and(one()));
        assert_eq!(chain, super::FilterOf::all((0..101).map(|_| one())));
    }

    mod scored {
        use crate as fraiseql_runtime;
        use crate::{Embed, TView};

        #[derive(TView)]
        #[tview(crate = fraiseql_runtime)]
        #[allow(dead_code)]
        pub(super) struct Scored {
            pub(super) id: i64,
            #[tview(filter)]
            pub(super) score: f64,
        }

        pub(super) fn list() -> crate::list::List<Scored> {
            assert_eq!(Scored::SHAPE.fields.len(), 2);
            Scored::list()
        }
    }

    #[test]
    fn a_value_without_json_is_an_error_of_the_list() {
        let list = scored::list().filter(scored::Scored::SCORE.gt(f64::NAN));
        let error = list.sql().unwrap_err();
        assert!(
            matches!(error, ListError::Value { field: "score", .. }),
            "{error:?}"
        );
        assert_eq!(
            error.to_string(),
            "`score` cannot be compared with this value (NaN has no JSON encoding): expected a number"
        );
        // A chain of more comparisons than a filter can have is an error too, and no panic.
        let one = || scored::Scored::SCORE.gt(1.0);
        let long = (0..1000).fold(one(), |chain, _| chain.or(one()));
        let error = scored::list().filter(long).sql().unwrap_err();
        assert!(matches!(error, ListError::TooLarge { .. }), "{error:?}");
    }
}
