use fraiseql_runtime::TView;

#[derive(TView)]
pub struct Employee {
    pub id: i64,
    #[tview(one(fk = "manager_id"))]
    pub manager: Option<Box<Employee>>,
}

fn main() {}
