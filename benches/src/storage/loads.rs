//! The five loads: tables, views, and what is written.

use fraiseql_runtime::{Embed, Mutation, TView};

/// A load on one view.
pub(super) trait Load {
    /// The view in each storage.
    type Stored: TView<Key = i64>;
    type Live: TView<Key = i64>;
    type Matview: TView<Key = i64>;

    const NAME: &'static str;
    /// Creates the tables and their rows.
    const TABLES: &'static str;
    /// The number of documents.
    const DOCUMENTS: i64;
    /// Changes the row `$1` of a table.
    const WRITE: &'static str;
    /// The table that is written, and the number of its rows.
    const WRITTEN: (&'static str, i64);
    /// The reads for each write.
    const READS: usize;
    /// The writes after which the materialized view is refreshed. `None` if reads must show every commit.
    const REFRESH: Option<usize>;

    /// Marks the changed row.
    fn mark(mutation: &mut Mutation, key: i64);
}

/// A view in each storage.
macro_rules! storages {
    ($table:literal, $fields:tt) => {
        storages!(@ Stored "table" "stored", $table, $fields);
        storages!(@ Live "live" "live", $table, $fields);
        storages!(@ Matview "matview" "refreshed", $table, $fields);
    };
    (@ $name:ident $storage:tt $entity:tt, $table:literal, { $($fields:tt)* }) => {
        #[derive(fraiseql_runtime::TView)]
        #[tview(table = $table, storage = $storage, entity = $entity, plural = $entity)]
        #[allow(dead_code)]
        pub(crate) struct $name { $($fields)* }
    };
}

/// Pages of users with their newest posts: read much more often than written.
pub(super) mod profiles {
    use super::{Embed, Load, Mutation};

    #[derive(Embed)]
    #[tview(table = "tb_post")]
    #[allow(dead_code)]
    pub(crate) struct Post {
        id: i64,
        title: String,
        likes: i32,
    }

    storages!("tb_user", {
        id: i64,
        name: String,
        #[tview(many(fk = "user_id", order_by = "id DESC", limit = 20))]
        posts: Vec<super::profiles::Post>,
        #[tview(count(table = "tb_post", fk = "user_id"))]
        post_count: i64,
    });

    pub(crate) struct Profiles;

    impl Load for Profiles {
        type Stored = Stored;
        type Live = Live;
        type Matview = Matview;
        const NAME: &'static str = "profiles with 20 posts";
        const TABLES: &'static str = "
            CREATE TABLE tb_user (id int8 PRIMARY KEY, name text NOT NULL);
            CREATE TABLE tb_post (id int8 PRIMARY KEY, user_id int8 NOT NULL, title text NOT NULL,
                likes int4 NOT NULL DEFAULT 0);
            INSERT INTO tb_user SELECT n, 'User ' || n FROM generate_series(1, 2000) AS n;
            INSERT INTO tb_post SELECT n, 1 + n % 2000, 'The title of post ' || n
            FROM generate_series(1, 60000) AS n;
            CREATE INDEX ON tb_post (user_id, id)";
        const DOCUMENTS: i64 = 2000;
        const WRITE: &'static str = "UPDATE tb_post SET likes = likes + 1 WHERE id = $1";
        const WRITTEN: (&'static str, i64) = ("tb_post", 60_000);
        const READS: usize = 50;
        const REFRESH: Option<usize> = None;

        fn mark(mutation: &mut Mutation, key: i64) {
            mutation.changed::<Post>(&[key]);
        }
    }
}

/// Orders with their lines, products and customer: read some times after each change.
pub(super) mod orders {
    use super::{Embed, Load, Mutation};

    #[derive(Embed)]
    #[tview(table = "tb_customer")]
    #[allow(dead_code)]
    pub(crate) struct Customer {
        id: i64,
        name: String,
    }

    #[derive(Embed)]
    #[tview(table = "tb_product")]
    #[allow(dead_code)]
    pub(crate) struct Product {
        id: i64,
        title: String,
    }

    #[derive(Embed)]
    #[tview(table = "tb_line")]
    #[allow(dead_code)]
    pub(crate) struct Line {
        id: i64,
        quantity: i32,
        #[tview(one(fk = "product_id"))]
        product: Product,
    }

    storages!("tb_order", {
        id: i64,
        number: String,
        #[tview(one(fk = "customer_id"))]
        customer: super::orders::Customer,
        #[tview(many(fk = "order_id"))]
        lines: Vec<super::orders::Line>,
        #[tview(sum(table = "tb_line", fk = "order_id", expr = "{}.quantity"))]
        pieces: i64,
    });

    pub(crate) struct Orders;

    impl Load for Orders {
        type Stored = Stored;
        type Live = Live;
        type Matview = Matview;
        const NAME: &'static str = "orders with 10 lines";
        const TABLES: &'static str = "
            CREATE TABLE tb_customer (id int8 PRIMARY KEY, name text NOT NULL);
            CREATE TABLE tb_product (id int8 PRIMARY KEY, title text NOT NULL);
            CREATE TABLE tb_order (id int8 PRIMARY KEY, number text NOT NULL, customer_id int8 NOT NULL);
            CREATE TABLE tb_line (id int8 PRIMARY KEY, order_id int8 NOT NULL, product_id int8 NOT NULL,
                quantity int4 NOT NULL DEFAULT 1);
            INSERT INTO tb_customer SELECT n, 'Customer ' || n FROM generate_series(1, 500) AS n;
            INSERT INTO tb_product SELECT n, 'Product ' || n FROM generate_series(1, 1000) AS n;
            INSERT INTO tb_order SELECT n, 'N-' || n, 1 + n % 500 FROM generate_series(1, 5000) AS n;
            INSERT INTO tb_line SELECT n, 1 + n % 5000, 1 + n % 1000 FROM generate_series(1, 50000) AS n;
            CREATE INDEX ON tb_order (customer_id);
            CREATE INDEX ON tb_line (order_id);
            CREATE INDEX ON tb_line (product_id)";
        const DOCUMENTS: i64 = 5000;
        const WRITE: &'static str = "UPDATE tb_line SET quantity = quantity + 1 WHERE id = $1";
        const WRITTEN: (&'static str, i64) = ("tb_line", 50_000);
        const READS: usize = 30;
        const REFRESH: Option<usize> = None;

        fn mark(mutation: &mut Mutation, key: i64) {
            mutation.changed::<Line>(&[key]);
        }
    }
}

/// Positions of vehicles: written more often than read.
pub(super) mod positions {
    use super::{Load, Mutation};

    storages!("tb_vehicle", {
        id: i64,
        plate: String,
        meters: i64,
        #[tview(count(table = "tb_trip", fk = "vehicle_id"))]
        trips: i64,
    });

    pub(crate) struct Positions;

    impl Load for Positions {
        type Stored = Stored;
        type Live = Live;
        type Matview = Matview;
        const NAME: &'static str = "positions of vehicles";
        const TABLES: &'static str = "
            CREATE TABLE tb_vehicle (id int8 PRIMARY KEY, plate text NOT NULL, meters int8 NOT NULL DEFAULT 0);
            CREATE TABLE tb_trip (id int8 PRIMARY KEY, vehicle_id int8 NOT NULL);
            INSERT INTO tb_vehicle SELECT n, 'P ' || n FROM generate_series(1, 5000) AS n;
            INSERT INTO tb_trip SELECT n, 1 + n % 5000 FROM generate_series(1, 25000) AS n;
            CREATE INDEX ON tb_trip (vehicle_id)";
        const DOCUMENTS: i64 = 5000;
        const WRITE: &'static str = "UPDATE tb_vehicle SET meters = meters + 1 WHERE id = $1";
        const WRITTEN: (&'static str, i64) = ("tb_vehicle", 5000);
        const READS: usize = 1;
        const REFRESH: Option<usize> = None;

        fn mark(mutation: &mut Mutation, key: i64) {
            mutation.changed::<Stored>(&[key]);
        }
    }
}

/// Products with their category, of which one is changed now and then: thousands of documents.
pub(super) mod catalogue {
    use super::{Embed, Load, Mutation};

    #[derive(Embed)]
    #[tview(table = "tb_category")]
    #[allow(dead_code)]
    pub(crate) struct Category {
        id: i64,
        name: String,
    }

    storages!("tb_product", {
        id: i64,
        title: String,
        #[tview(one(fk = "category_id"))]
        category: super::catalogue::Category,
    });

    pub(crate) struct Catalogue;

    impl Load for Catalogue {
        type Stored = Stored;
        type Live = Live;
        type Matview = Matview;
        const NAME: &'static str = "products of a changing category";
        const TABLES: &'static str = "
            CREATE TABLE tb_category (id int8 PRIMARY KEY, name text NOT NULL);
            CREATE TABLE tb_product (id int8 PRIMARY KEY, title text NOT NULL, category_id int8 NOT NULL);
            INSERT INTO tb_category SELECT n, 'Category ' || n FROM generate_series(1, 10) AS n;
            INSERT INTO tb_product SELECT n, 'Product ' || n, 1 + n % 10 FROM generate_series(1, 20000) AS n;
            CREATE INDEX ON tb_product (category_id)";
        const DOCUMENTS: i64 = 20_000;
        const WRITE: &'static str = "UPDATE tb_category SET name = name || '.' WHERE id = $1";
        const WRITTEN: (&'static str, i64) = ("tb_category", 10);
        const READS: usize = 100;
        const REFRESH: Option<usize> = None;

        fn mark(mutation: &mut Mutation, key: i64) {
            mutation.changed::<Category>(&[key]);
        }
    }
}

/// The revenue of products, of a thousand lines each: it may be some minutes old.
pub(super) mod revenue {
    use super::{Embed, Load, Mutation};

    #[derive(Embed)]
    #[tview(table = "tb_line")]
    #[allow(dead_code)]
    pub(crate) struct Line {
        id: i64,
    }

    storages!("tb_product", {
        id: i64,
        title: String,
        #[tview(sum(table = "tb_line", fk = "product_id", expr = "{}.quantity * {}.price"))]
        revenue: i64,
        #[tview(count(table = "tb_line", fk = "product_id"))]
        sold: i64,
    });

    pub(crate) struct Revenue;

    impl Load for Revenue {
        type Stored = Stored;
        type Live = Live;
        type Matview = Matview;
        const NAME: &'static str = "revenue of 1,000 lines";
        const TABLES: &'static str = "
            CREATE TABLE tb_product (id int8 PRIMARY KEY, title text NOT NULL);
            CREATE TABLE tb_line (id int8 PRIMARY KEY, product_id int8 NOT NULL, quantity int8 NOT NULL DEFAULT 1,
                price int8 NOT NULL DEFAULT 5);
            INSERT INTO tb_product SELECT n, 'Product ' || n FROM generate_series(1, 200) AS n;
            INSERT INTO tb_line SELECT n, 1 + n % 200 FROM generate_series(1, 200000) AS n;
            CREATE INDEX ON tb_line (product_id)";
        const DOCUMENTS: i64 = 200;
        const WRITE: &'static str = "UPDATE tb_line SET quantity = quantity + 1 WHERE id = $1";
        const WRITTEN: (&'static str, i64) = ("tb_line", 200_000);
        const READS: usize = 5;
        const REFRESH: Option<usize> = Some(400);

        fn mark(mutation: &mut Mutation, key: i64) {
            mutation.changed::<Line>(&[key]);
        }
    }
}
