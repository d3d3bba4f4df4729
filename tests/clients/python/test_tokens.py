"""The Python client `gql`, against the server that URL and TOKEN name, with the TOKENS that it has."""

import os
import unittest
from datetime import datetime, timedelta, timezone

from gql import Client, gql
from gql.dsl import DSLMutation, DSLQuery, DSLSchema, DSLVariableDefinitions, dsl_gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport

CREATE = gql("""
  mutation Create($input: CreateApiTokenInput!) {
    createApiToken(input: $input) { token apiToken { id name } }
  }""")

CURRENT = gql("{ currentApiToken { id name createdUserInfo { userName } } }")

PAGE = gql("""
  query Page($first: Int, $after: String) {
    apiTokens(first: $first, after: $after, orderBy: { field: NAME, direction: ASC }) {
      nodes { name }
      pageInfo { hasNextPage endCursor }
    }
  }""")

WRONG_TOKEN = f"twr_{'0' * 22}_{'0' * 49}"


def connect(token=os.environ["TOKEN"], **options):
    headers = {"Authorization": f"Bearer {token}"}
    return Client(transport=RequestsHTTPTransport(url=os.environ["URL"], headers=headers), **options)


def settings(name, **more):
    expiry = datetime.now(timezone.utc) + timedelta(days=30)
    return {"name": name, "expiry": expiry.isoformat(), "permissions": ["API_API_TOKENS_READ"], **more}


def execute(client, query, **variables):
    query.variable_values = variables
    return client.execute(query)


class Tokens(unittest.TestCase):
    def refused(self, client, query, **variables):
        """The extensions of the errors that the client raises."""
        with self.assertRaises(TransportQueryError) as raised:
            execute(client, query, **variables)
        return [error["extensions"] for error in raised.exception.errors]

    def test_a_token_is_made_and_used(self):
        made = execute(connect(), CREATE, input=settings("zulu"))["createApiToken"]
        current = connect(made["token"]).execute(CURRENT)["currentApiToken"]
        self.assertEqual(current["id"], made["apiToken"]["id"])
        self.assertEqual(current["createdUserInfo"]["userName"], "administrator")

    def test_the_cursors_lead_through_all_pages(self):
        pages, after = [], None
        while True:
            tokens = execute(connect(), PAGE, first=3, after=after)["apiTokens"]
            pages.append([token["name"] for token in tokens["nodes"]])
            if not tokens["pageInfo"]["hasNextPage"]:
                break
            self.assertNotEqual(tokens["pageInfo"]["endCursor"], after)
            after = tokens["pageInfo"]["endCursor"]
        self.assertEqual([len(page) for page in pages[:2]], [3, 3])
        names = [name for page in pages for name in page]
        self.assertEqual(names[:7], os.environ["TOKENS"].split())
        self.assertEqual(len(names), len(set(names)))

    def test_coded_errors_are_in_a_transport_query_error(self):
        faulty = settings("faulty", permissions=[], allowedAddresses=["10.0.0.1/8"])
        self.assertEqual(self.refused(connect(), CREATE, input=faulty), [
            {"code": "BAD_USER_INPUT", "field": "permissions", "reason": "permissions_empty"},
            {"code": "BAD_USER_INPUT", "field": "allowedAddresses", "index": 0, "reason": "address_host_bits"},
        ])
        taken = {"code": "CONFLICT", "field": "name", "reason": "name_taken"}
        self.assertEqual(self.refused(connect(), CREATE, input=settings("ADMINISTRATOR")), [taken])
        invalid = {"code": "UNAUTHENTICATED", "reason": "invalid_token"}
        self.assertEqual(self.refused(connect(WRONG_TOKEN), CURRENT), [invalid])

    def test_the_schema_is_fetched_and_checks_documents(self):
        with connect(fetch_schema_from_transport=True) as session:
            with self.assertRaisesRegex(Exception, "Cannot query field 'secret' on type 'ApiToken'"):
                session.execute(gql("{ currentApiToken { secret } }"))
            answer = session.execute(CURRENT)
        self.assertEqual(answer["currentApiToken"]["name"], "administrator")

    def test_documents_are_built_from_the_schema(self):
        with connect(fetch_schema_from_transport=True) as session:
            schema = DSLSchema(session.client.schema)
            current = schema.Query.currentApiToken.select(schema.ApiToken.name, schema.ApiToken.permissions)
            answer = session.execute(dsl_gql(DSLQuery(current)))["currentApiToken"]
            self.assertEqual(answer["name"], "administrator")
            self.assertIn("API_API_TOKENS_WRITE", answer["permissions"])

            variables = DSLVariableDefinitions()
            create = DSLMutation(schema.Mutation.createApiToken(input=variables.input).select(
                schema.CreateApiTokenPayload.apiToken.select(schema.ApiToken.name, schema.ApiToken.status)))
            create.variable_definitions = variables
            document = dsl_gql(create)
            document.variable_values = {"input": settings("yankee")}
            made = session.execute(document)["createApiToken"]["apiToken"]
        self.assertEqual(made, {"name": "yankee", "status": "ACTIVE"})


if __name__ == "__main__":
    unittest.main()
