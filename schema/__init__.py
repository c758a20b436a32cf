"""The GraphQL API: types, inputs and thin resolvers, one file per feature. No rule of the business lives here."""
