"""Compares our JSON of every message with that of Google's own implementation (python3-protobuf).

Usage: pb_json_oracle.py DESCRIPTOR_SET CASES ANSWERS
CASES has a line a message: type, its bytes in hexadecimal, our JSON, our JSON with defaults. ANSWERS gets the same
types and bytes with Python's JSON, for us to read back.
"""
import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


def load_types(path):
    pool = descriptor_pool.DescriptorPool()
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as source:
        files.ParseFromString(source.read())
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))


def main():
    type_of = load_types(sys.argv[1])
    wrong = 0
    with open(sys.argv[2], encoding="utf-8") as cases, open(sys.argv[3], "w", encoding="utf-8") as answers:
        for line in cases:
            name, data, plain, defaults = line.rstrip("\n").split("\t")
            message = type_of(name)()
            message.ParseFromString(bytes.fromhex(data))
            expected = json_format.MessageToDict(message)
            expected_defaults = json_format.MessageToDict(message, including_default_value_fields=True)
            for ours, theirs in ((plain, expected), (defaults, expected_defaults)):
                if json.loads(ours) != theirs:
                    wrong += 1
                    print(f"{name}: ours {ours}\n   python {json.dumps(theirs)}")
            back = json_format.Parse(plain, type_of(name)())
            if back != message:
                wrong += 1
                print(f"{name}: python reads something else from {plain}")
            answers.write(f"{name}\t{data}\t{json.dumps(expected)}\n")
    return 1 if wrong else 0


sys.exit(main())
