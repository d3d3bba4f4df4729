//! Descriptions, which play no part in validation.

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;

/// Takes the descriptions out of what is selected: the library hashes the whole definition of a
/// field as often as the field is selected.
pub(super) fn leave_out(schema: &mut Schema) {
    for ty in schema.types.values_mut() {
        let fields = match ty {
            ExtendedType::Object(object) => &mut object.make_mut().fields,
            ExtendedType::Interface(interface) => &mut interface.make_mut().fields,
            _ => continue,
        };
        for field in fields.values_mut() {
            let field = field.make_mut();
            field.description = None;
            for argument in &mut field.arguments {
                argument.make_mut().description = None;
            }
        }
    }
}
