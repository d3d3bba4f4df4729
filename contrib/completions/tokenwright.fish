# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tokenwright_global_optspecs
    string join \n config= log= log-format= h/help V/version
end

function __fish_tokenwright_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tokenwright_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tokenwright_using_subcommand
    set -l cmd (__fish_tokenwright_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tokenwright -n "__fish_tokenwright_needs_command" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_needs_command" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_needs_command" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -s V -l version -d 'Print version'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "dev" -d 'Run everything at once to try it out: a database file, migrations, the playground, an administrator\'s token'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "serve" -d 'Run the server'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "config" -d 'Check settings, or print a settings file to start from'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "admin" -d 'Work on the database itself, without a server'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "migrate" -d 'Apply the migrations; safe when several start at once'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "schema" -d 'Print the GraphQL schema'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "healthcheck" -d 'Exit with 0 when the server\'s /readyz answers'
complete -c tokenwright -n "__fish_tokenwright_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l listen -d 'Where to listen; port 0 takes a free one' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l trusted-proxies -d 'Peers whose forwarding header is believed: addresses and CIDR networks, separated by commas. None unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l forwarded-header -d 'The header in which trusted proxies report the client address. The other one is ignored' -r -f -a "x-forwarded-for\t''
forwarded\t''"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l introspection -d 'Who may introspect the schema. `public` in `dev`, `authenticated` in `serve` unless set' -r -f -a "public\t'Everybody'
authenticated\t'Whoever has a valid token'
off\t'Nobody'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l allowed-origins -d 'Origins whose pages may use /graphql from a browser, such as `https://app.example`, separated by commas. Write them exactly as browsers send them: no path, no trailing slash, no wildcard. None unless set; the playground needs none' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l authorize-needs-permission -d 'Whether `/authorize` must be asked for at least one permission. Without, a gateway that asks for none lets every valid token pass' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l public-url -d 'The URL at which clients reach this server, such as `https://tokens.example`. It is the issuer of the OAuth metadata, exactly as given; without it, there is no metadata' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l playground -d 'Serve the playground, GraphiQL, at `/`. On in `dev`, off in `serve` unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l request-timeout -d 'Longest time for each of: reading a request\'s head, authenticating it, reading its body, answering a query' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l shutdown-delay -d 'How long requests are still served after SIGTERM or SIGINT, while `/readyz` already answers 503: as long as load balancers take to notice. A second signal ends it' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l shutdown-timeout -d 'Longest time to finish what is in flight after SIGTERM or SIGINT, and after `--shutdown-delay`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l workers -d 'Threads that serve requests: as many as the machine has cores unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-connections -d 'Most connections at once; further ones are closed. As many as there may be descriptors, less a reserve, and at most 1024 unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-connections-per-address -d 'Most connections at once from one address, or from one network of 64 bits in IPv6. Trusted proxies are exempt' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l subscriptions -d 'Serve subscriptions over WebSocket at `/graphql`. On in `dev`, off in `serve` unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-sockets -d 'Most sockets at once; further ones are closed. Each is a connection of `max-connections`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-sockets-per-token -d 'Most sockets at once with one token' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-subscriptions-per-socket -d 'Most subscriptions at once on one socket' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l ext-authz-listen -d 'Where to listen for Envoy\'s `ext_authz` over gRPC; port 0 takes a free one. Off unless set. Name Envoy in `trusted-proxies`, or it counts as the client' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l metrics-listen -d 'Where to listen for Prometheus, which asks `/metrics`; port 0 takes a free one. Whoever can reach it reads it, so keep it off public networks. Off unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l otlp-endpoint -d 'The collector that traces are sent to by OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is added. Off unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l otlp-sample-ratio -d 'The share of requests that are traced, from 0 to 1, where no trusted proxy has decided on it' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l tls-certificate -d 'The certificate that all listeners show, and after it those that vouch for it (PEM). It is read again when it changes, and at SIGHUP. Needs `--tls-key`; without it there is no TLS' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l tls-key -d 'The private key of the certificate (PEM: PKCS#8, PKCS#1 or SEC1), without a passphrase' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-tokens -d 'Most live tokens in all' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-tokens-per-maker -d 'Most live tokens that one token has created or renewed' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-changes-per-minute -d 'Most creations, renewals and changes by one token in a minute. Deleting and disabling are not counted' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-failed-proofs-per-address -d 'Most secrets from one client address, or from one network of 64 bits in IPv6, that are not valid in a minute, on each instance. Valid ones are never limited' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l max-failed-proofs -d 'The same from all addresses together' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l disk-reserve-mib -d 'MiB of free disk below which tokens can only be deleted and disabled; SQLite only, 0: none' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l audit-retention -d 'Age from which audit events are removed for good, `30d` or more: `400d`, `13mo`, `2y`. Not set: none is removed. What `admin audit export` wrote before is kept' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l audit-log -d 'A file to which every audit event is written, once it is recorded, as a line of JSON; `-` is standard output. Not set: none is written. SIGHUP opens the file again' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l expiry-notices -d 'How long before the end of a token an audit event tells of it, separated by commas: `0s` or `1m` and longer, without years and months. `off`: none does' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand dev" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l migrate -d 'Apply the migrations first; safe when several start at once' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l listen -d 'Where to listen; port 0 takes a free one' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l trusted-proxies -d 'Peers whose forwarding header is believed: addresses and CIDR networks, separated by commas. None unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l forwarded-header -d 'The header in which trusted proxies report the client address. The other one is ignored' -r -f -a "x-forwarded-for\t''
forwarded\t''"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l introspection -d 'Who may introspect the schema. `public` in `dev`, `authenticated` in `serve` unless set' -r -f -a "public\t'Everybody'
authenticated\t'Whoever has a valid token'
off\t'Nobody'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l allowed-origins -d 'Origins whose pages may use /graphql from a browser, such as `https://app.example`, separated by commas. Write them exactly as browsers send them: no path, no trailing slash, no wildcard. None unless set; the playground needs none' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l authorize-needs-permission -d 'Whether `/authorize` must be asked for at least one permission. Without, a gateway that asks for none lets every valid token pass' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l public-url -d 'The URL at which clients reach this server, such as `https://tokens.example`. It is the issuer of the OAuth metadata, exactly as given; without it, there is no metadata' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l playground -d 'Serve the playground, GraphiQL, at `/`. On in `dev`, off in `serve` unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l request-timeout -d 'Longest time for each of: reading a request\'s head, authenticating it, reading its body, answering a query' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l shutdown-delay -d 'How long requests are still served after SIGTERM or SIGINT, while `/readyz` already answers 503: as long as load balancers take to notice. A second signal ends it' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l shutdown-timeout -d 'Longest time to finish what is in flight after SIGTERM or SIGINT, and after `--shutdown-delay`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l workers -d 'Threads that serve requests: as many as the machine has cores unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-connections -d 'Most connections at once; further ones are closed. As many as there may be descriptors, less a reserve, and at most 1024 unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-connections-per-address -d 'Most connections at once from one address, or from one network of 64 bits in IPv6. Trusted proxies are exempt' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l subscriptions -d 'Serve subscriptions over WebSocket at `/graphql`. On in `dev`, off in `serve` unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-sockets -d 'Most sockets at once; further ones are closed. Each is a connection of `max-connections`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-sockets-per-token -d 'Most sockets at once with one token' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-subscriptions-per-socket -d 'Most subscriptions at once on one socket' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l ext-authz-listen -d 'Where to listen for Envoy\'s `ext_authz` over gRPC; port 0 takes a free one. Off unless set. Name Envoy in `trusted-proxies`, or it counts as the client' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l metrics-listen -d 'Where to listen for Prometheus, which asks `/metrics`; port 0 takes a free one. Whoever can reach it reads it, so keep it off public networks. Off unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l otlp-endpoint -d 'The collector that traces are sent to by OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is added. Off unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l otlp-sample-ratio -d 'The share of requests that are traced, from 0 to 1, where no trusted proxy has decided on it' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l tls-certificate -d 'The certificate that all listeners show, and after it those that vouch for it (PEM). It is read again when it changes, and at SIGHUP. Needs `--tls-key`; without it there is no TLS' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l tls-key -d 'The private key of the certificate (PEM: PKCS#8, PKCS#1 or SEC1), without a passphrase' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-tokens -d 'Most live tokens in all' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-tokens-per-maker -d 'Most live tokens that one token has created or renewed' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-changes-per-minute -d 'Most creations, renewals and changes by one token in a minute. Deleting and disabling are not counted' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-failed-proofs-per-address -d 'Most secrets from one client address, or from one network of 64 bits in IPv6, that are not valid in a minute, on each instance. Valid ones are never limited' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l max-failed-proofs -d 'The same from all addresses together' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l disk-reserve-mib -d 'MiB of free disk below which tokens can only be deleted and disabled; SQLite only, 0: none' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l audit-retention -d 'Age from which audit events are removed for good, `30d` or more: `400d`, `13mo`, `2y`. Not set: none is removed. What `admin audit export` wrote before is kept' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l audit-log -d 'A file to which every audit event is written, once it is recorded, as a line of JSON; `-` is standard output. Not set: none is written. SIGHUP opens the file again' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l expiry-notices -d 'How long before the end of a token an audit event tells of it, separated by commas: `0s` or `1m` and longer, without years and months. `off`: none does' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and not __fish_seen_subcommand_from check example help" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and not __fish_seen_subcommand_from check example help" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and not __fish_seen_subcommand_from check example help" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and not __fish_seen_subcommand_from check example help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and not __fish_seen_subcommand_from check example help" -f -a "check" -d 'Check the settings of `serve`: every fault, and where each value comes from'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and not __fish_seen_subcommand_from check example help" -f -a "example" -d 'Print a settings file with every setting, its meaning and its default'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and not __fish_seen_subcommand_from check example help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l migrate -d 'Apply the migrations first; safe when several start at once' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l listen -d 'Where to listen; port 0 takes a free one' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l trusted-proxies -d 'Peers whose forwarding header is believed: addresses and CIDR networks, separated by commas. None unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l forwarded-header -d 'The header in which trusted proxies report the client address. The other one is ignored' -r -f -a "x-forwarded-for\t''
forwarded\t''"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l introspection -d 'Who may introspect the schema. `public` in `dev`, `authenticated` in `serve` unless set' -r -f -a "public\t'Everybody'
authenticated\t'Whoever has a valid token'
off\t'Nobody'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l allowed-origins -d 'Origins whose pages may use /graphql from a browser, such as `https://app.example`, separated by commas. Write them exactly as browsers send them: no path, no trailing slash, no wildcard. None unless set; the playground needs none' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l authorize-needs-permission -d 'Whether `/authorize` must be asked for at least one permission. Without, a gateway that asks for none lets every valid token pass' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l public-url -d 'The URL at which clients reach this server, such as `https://tokens.example`. It is the issuer of the OAuth metadata, exactly as given; without it, there is no metadata' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l playground -d 'Serve the playground, GraphiQL, at `/`. On in `dev`, off in `serve` unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l request-timeout -d 'Longest time for each of: reading a request\'s head, authenticating it, reading its body, answering a query' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l shutdown-delay -d 'How long requests are still served after SIGTERM or SIGINT, while `/readyz` already answers 503: as long as load balancers take to notice. A second signal ends it' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l shutdown-timeout -d 'Longest time to finish what is in flight after SIGTERM or SIGINT, and after `--shutdown-delay`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l workers -d 'Threads that serve requests: as many as the machine has cores unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-connections -d 'Most connections at once; further ones are closed. As many as there may be descriptors, less a reserve, and at most 1024 unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-connections-per-address -d 'Most connections at once from one address, or from one network of 64 bits in IPv6. Trusted proxies are exempt' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l subscriptions -d 'Serve subscriptions over WebSocket at `/graphql`. On in `dev`, off in `serve` unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-sockets -d 'Most sockets at once; further ones are closed. Each is a connection of `max-connections`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-sockets-per-token -d 'Most sockets at once with one token' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-subscriptions-per-socket -d 'Most subscriptions at once on one socket' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l ext-authz-listen -d 'Where to listen for Envoy\'s `ext_authz` over gRPC; port 0 takes a free one. Off unless set. Name Envoy in `trusted-proxies`, or it counts as the client' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l metrics-listen -d 'Where to listen for Prometheus, which asks `/metrics`; port 0 takes a free one. Whoever can reach it reads it, so keep it off public networks. Off unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l otlp-endpoint -d 'The collector that traces are sent to by OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is added. Off unless set' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l otlp-sample-ratio -d 'The share of requests that are traced, from 0 to 1, where no trusted proxy has decided on it' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l tls-certificate -d 'The certificate that all listeners show, and after it those that vouch for it (PEM). It is read again when it changes, and at SIGHUP. Needs `--tls-key`; without it there is no TLS' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l tls-key -d 'The private key of the certificate (PEM: PKCS#8, PKCS#1 or SEC1), without a passphrase' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-tokens -d 'Most live tokens in all' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-tokens-per-maker -d 'Most live tokens that one token has created or renewed' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-changes-per-minute -d 'Most creations, renewals and changes by one token in a minute. Deleting and disabling are not counted' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-failed-proofs-per-address -d 'Most secrets from one client address, or from one network of 64 bits in IPv6, that are not valid in a minute, on each instance. Valid ones are never limited' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l max-failed-proofs -d 'The same from all addresses together' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l disk-reserve-mib -d 'MiB of free disk below which tokens can only be deleted and disabled; SQLite only, 0: none' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l audit-retention -d 'Age from which audit events are removed for good, `30d` or more: `400d`, `13mo`, `2y`. Not set: none is removed. What `admin audit export` wrote before is kept' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l audit-log -d 'A file to which every audit event is written, once it is recorded, as a line of JSON; `-` is standard output. Not set: none is written. SIGHUP opens the file again' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l expiry-notices -d 'How long before the end of a token an audit event tells of it, separated by commas: `0s` or `1m` and longer, without years and months. `off`: none does' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -l connect -d 'Also try whether the database answers, and whether certificate and key can be used'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from example" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from example" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from example" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from example" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Check the settings of `serve`: every fault, and where each value comes from'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "example" -d 'Print a settings file with every setting, its meaning and its default'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "create-token" -d 'Create a token, attributed to the built-in system user. Prints only its secret to standard output'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "delete-token" -d 'Delete a token for good, as the built-in system user'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "disable-token" -d 'Disable a token, as the built-in system user: only `enable-token` enables it again'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "enable-token" -d 'Enable a token, whoever disabled it'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "revoke" -d 'Disable every token that was created before a time, as the built-in system user; servers may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "policy" -d 'Show or change the policy: rules for tokens, also for those that were issued already'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "backup" -d 'Copy a SQLite database into a file; a server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "restore" -d 'Put a backup in the place of a SQLite database; no server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "prune" -d 'Remove old audit events and deleted tokens for good, in small steps; a server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "audit" -d 'Copy the audit events elsewhere'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and not __fish_seen_subcommand_from create-token delete-token disable-token enable-token revoke policy backup restore prune audit help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l name -d 'Name of the token' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l description -d 'What the token is for, in words: at most 1,000 characters. It gives no authority' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l label -d 'What the token is for, as a pair such as `tenant=acme`; may be repeated. The key is 1 to 63 of `a-z0-9._-`. Labels give no authority' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l expires-in -d 'Time from now to its expiry: `90d`, `2w`, `12h`, `30m` (minutes), `6mo` (months of the calendar), `1y`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l permission -d 'A permission by its dotted code, such as `api.users.read`, or by its name in GraphQL; may be repeated' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l allowed-address -d 'An address or CIDR network from which the token may be used; may be repeated. Without it: any address' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -l all-permissions -d 'All permissions that can be granted'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from create-token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -l descendants -d 'Also all that came of the token: the tokens that it made, that renewed it, and theirs in turn, to any depth. For very many, raise `--database-statement-timeout` on PostgreSQL'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from delete-token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -l descendants -d 'Also all that came of the token: the tokens that it made, that renewed it, and theirs in turn, to any depth. For very many, raise `--database-statement-timeout` on PostgreSQL'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from disable-token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from enable-token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l created-before -d 'Disable the tokens that were created before this: `now`, or a time such as `2027-01-31T12:00:00Z`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from policy" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from policy" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from policy" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from policy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from policy" -f -a "show" -d 'Print the policy'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from policy" -f -a "set" -d 'Change the policy, as the built-in system user, from the next request on. What is left out stays as it is'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from policy" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l revoke-created-before -d 'Disable the tokens that were created before this: `now`, or a time such as `2027-01-31T12:00:00Z`. What was deleted or disabled since the backup cannot be used again' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -l revoke-nothing -d 'Accept that tokens which were deleted or disabled since the backup work again'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l older-than -d 'Age from which audit events, and tokens that were deleted, are removed: `2y`, `6mo`, `90d`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from audit" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from audit" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from audit" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from audit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from audit" -f -a "export" -d 'Write every audit event, the oldest first, each as a line of JSON; a server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from audit" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "create-token" -d 'Create a token, attributed to the built-in system user. Prints only its secret to standard output'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "delete-token" -d 'Delete a token for good, as the built-in system user'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "disable-token" -d 'Disable a token, as the built-in system user: only `enable-token` enables it again'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "enable-token" -d 'Enable a token, whoever disabled it'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "revoke" -d 'Disable every token that was created before a time, as the built-in system user; servers may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "policy" -d 'Show or change the policy: rules for tokens, also for those that were issued already'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "backup" -d 'Copy a SQLite database into a file; a server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "restore" -d 'Put a backup in the place of a SQLite database; no server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove old audit events and deleted tokens for good, in small steps; a server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "audit" -d 'Copy the audit events elsewhere'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l database-url -d 'The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l database-url-file -d 'A file that holds the database URL, such as a secret that is mounted into a container. It replaces `--database-url`' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l database-connections -d 'Connections to PostgreSQL, of which at least two serve only short reads and a third of the others serves searches. With SQLite: connections that read the file, beside one of each of the `--workers`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l database-wait -d 'Longest wait for a free connection; after it the answer is 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l database-statement-timeout -d 'Longest time of one search, and on PostgreSQL of any statement. After it a search is refused with `query_limit`, and anything else answered with 503' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l database-idle-transaction-timeout -d 'Longest time that a transaction in PostgreSQL may wait for its next statement' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand migrate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -l permissions -d 'A permission catalogue (TOML) in place of the built-in one' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -l max-lifetime -d 'Longest time from now to a token\'s expiry: `2y`, `6mo` (of the calendar), `90d`, `12h`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -l lifetime-within-maker -d 'A token ends no later than the one that makes or renews it. Without this, tokens outlive their makers' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -l bcrypt-cost -d 'Cost of bcrypt hashes, 4 to 14. A high cost slows down the creation of tokens and adds no protection, because a secret has 256 random bits' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand healthcheck" -l listen -d 'Where the server listens' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand healthcheck" -l tls-certificate -d 'The certificate of the server: set where it speaks TLS' -r -F
complete -c tokenwright -n "__fish_tokenwright_using_subcommand healthcheck" -l config -d 'A settings file (TOML); its keys are the names of the flags, such as `listen`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand healthcheck" -l log -d 'What to log: `error`, `warn`, `info`, `debug`, `trace`, `off`, or a filter such as `info,tokenwright=debug`' -r
complete -c tokenwright -n "__fish_tokenwright_using_subcommand healthcheck" -l log-format -d 'The format of log lines' -r -f -a "text\t'Text for people'
json\t'One JSON object per line'"
complete -c tokenwright -n "__fish_tokenwright_using_subcommand healthcheck" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "dev" -d 'Run everything at once to try it out: a database file, migrations, the playground, an administrator\'s token'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "serve" -d 'Run the server'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "config" -d 'Check settings, or print a settings file to start from'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "admin" -d 'Work on the database itself, without a server'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "migrate" -d 'Apply the migrations; safe when several start at once'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "schema" -d 'Print the GraphQL schema'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "healthcheck" -d 'Exit with 0 when the server\'s /readyz answers'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and not __fish_seen_subcommand_from dev serve config admin migrate schema healthcheck help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Check the settings of `serve`: every fault, and where each value comes from'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "example" -d 'Print a settings file with every setting, its meaning and its default'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "create-token" -d 'Create a token, attributed to the built-in system user. Prints only its secret to standard output'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "delete-token" -d 'Delete a token for good, as the built-in system user'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "disable-token" -d 'Disable a token, as the built-in system user: only `enable-token` enables it again'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "enable-token" -d 'Enable a token, whoever disabled it'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "revoke" -d 'Disable every token that was created before a time, as the built-in system user; servers may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "policy" -d 'Show or change the policy: rules for tokens, also for those that were issued already'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "backup" -d 'Copy a SQLite database into a file; a server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "restore" -d 'Put a backup in the place of a SQLite database; no server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "prune" -d 'Remove old audit events and deleted tokens for good, in small steps; a server may run'
complete -c tokenwright -n "__fish_tokenwright_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "audit" -d 'Copy the audit events elsewhere'
