require_relative "items"

RSpec.describe("c") { include_examples "items" }
