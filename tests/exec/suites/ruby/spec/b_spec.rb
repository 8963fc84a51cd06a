require_relative "items"

RSpec.describe("b") { include_examples "items" }
