# Reads YAML documents, one as JSON text per line, with Psych; writes what it found.
require "json"
require "yaml"

def tagged(value)
  case value
  when nil then ["null"]
  when String then ["text", value.encode("UTF-8")]
  when true, false then ["bool", value]
  when Integer then ["number", value.to_f.to_s]
  when Float
    ["number", value.nan? ? "nan" : value.infinite? ? (value.positive? ? "inf" : "-inf") : value.to_s]
  when Array then ["list", value.map { |item| tagged(item) }]
  when Hash then ["map", value.map { |key, item| [tagged(key), tagged(item)] }]
  else [value.class.name, value.to_s]
  end
end

$stdout.sync = true
$stdin.each_line do |line|
  text = JSON.parse(line)
  answer = begin
    tagged(YAML.unsafe_load(text))
  rescue StandardError => error
    ["error", error.message]
  end
  puts JSON.generate({ "psych" => answer })
end
