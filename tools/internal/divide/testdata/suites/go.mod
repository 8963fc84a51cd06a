module example.com/suites

go 1.25.0
