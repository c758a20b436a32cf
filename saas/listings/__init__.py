"""What distributors offer where: listings of products in channels, inside the price policy."""
