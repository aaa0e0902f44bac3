module bench.test/load

go 1.24
