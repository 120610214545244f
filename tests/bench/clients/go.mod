module plimsoll.dev/bench/clients

go 1.26.0
