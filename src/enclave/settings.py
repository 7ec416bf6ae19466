"""What was this home told about itself? One frozen value, built at the door and passed down."""
