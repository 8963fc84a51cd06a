// Package gormitems uses GORM.
package gormitems

import (
	"testing"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"example.com/shop/internal/testdb"
)

// Item is a row of the table item.
type Item struct {
	ID    int
	Name  string
	Price int
}

// TableName is asked by GORM.
func (Item) TableName() string { return "item" }

func TestCreateAndUpdate(t *testing.T) {
	testdb.Open(t)
	db, err := gorm.Open(postgres.Open(testdb.URL()), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	items := []Item{{Name: "a", Price: 2}, {Name: "b", Price: 3}}
	if err := db.Create(&items).Error; err != nil {
		t.Fatal(err)
	}
	testdb.Wait()
	if err := db.Model(&Item{}).Where("price > ?", 2).Update("price", 5).Error; err != nil {
		t.Fatal(err)
	}
	var found []Item
	if err := db.Order("id").Find(&found).Error; err != nil || len(found) != 2 || found[1].Price != 5 {
		t.Errorf("got %v, %v; want a for 2 and b for 5", found, err)
	}
}
