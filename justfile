# The commands of everyday work: `just` lists them. Each only names a script or a cargo command, which work without just.

_list:
    @just --list --unsorted

# Run the server with everything that trying it needs: http://127.0.0.1:8080
dev *arguments:
    cargo run --locked -- dev {{ arguments }}

# Compile without building
check:
    cargo check --locked --all-targets

# Format and lint, as CI does
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# All tests; or those that a filter names, over SQLite: just test create_api_token
test *filter:
    scripts/test {{ if filter == "" { "" } else { "--test it -- " + filter } }}

# The tests that a filter names, over PostgreSQL: just test-postgres create_api_token
test-postgres *filter:
    scripts/test --test it_postgres -- {{ filter }}

# Write the GraphQL schema anew
schema:
    cargo run --locked --quiet -- schema > schema.graphql

# Build the documentation of the code, as CI does
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# Fuzz what reads documents, for so many seconds
fuzz seconds="60":
    scripts/fuzz {{ seconds }}

# Compare the committed playground with what web/ builds
playground:
    web/check

# Everything that must pass before a change goes in
ci:
    .ci/run
